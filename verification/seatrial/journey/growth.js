// Notes when the text of a live region grows: __seatrialGrowth[name] holds the lengths since the last thing done.
(() => {
  const growth = {};
  Object.defineProperty(window, "__seatrialGrowth", { get: () => growth });
  const lengths = new WeakMap();
  const look = () => {
    for (const region of document.querySelectorAll("[aria-live][aria-label], [role=log][aria-label]")) {
      const now = region.textContent.length;
      if (now > (lengths.get(region) ?? 0)) {
        (growth[region.getAttribute("aria-label")] ??= []).push(now);
      }
      lengths.set(region, now);
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
})();
