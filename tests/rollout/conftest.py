"""Brings a release out while it is watched."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from rollout.driver import Driver
from rollout.proxy import Proxy
from rollout.stage import ENVIRONMENT, METRICS, POLICY, ROLLING, Deploy, Stage, Verified
from seatrial.demo import platform
from support import envtest
from support.metrics import Counting, prometheus
from support.verified import REPOSITORY, clean_environment

ATTEMPTS = 3
"""Rollouts on a machine that is too busy to measure on, before it is the test's problem."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """How one release is brought out. ``scraped`` takes its metrics from a Prometheus, ``third`` adds a version."""

    strategy: str
    deploy: Deploy
    faults: Sequence[str] = ()
    sticky: bool = True
    third: bool = False
    scraped: bool = False
    users: int = 4
    replicas: int = 4
    settle: str = "12s"


@pytest.fixture
def bring_out(tmp_path: Path, need: Callable[[str], str]) -> Callable[..., Verified]:
    """Bring a release out by ``deploy`` while `seatrial watch-rollout` watches it, and let it decide."""
    need("nginx")

    def go(strategy: str, deploy: Deploy, **more: object) -> Verified:
        release = Release(strategy=strategy, deploy=deploy, **more)  # type: ignore[arg-type]
        command = need("prometheus") if release.scraped else ""
        for attempt in range(ATTEMPTS):
            folder = tmp_path / str(attempt)
            with ExitStack() as stack:
                verified = _brought_out(stack, release, folder, command)
            if not verified.too_busy():
                break
        return verified

    return go


def _brought_out(stack: ExitStack, release: Release, folder: Path, scraper: str) -> Verified:
    (folder / "nginx").mkdir(parents=True)
    known = stack.enter_context(platform.start(faults=release.faults)).variables
    other = ""
    if release.third:
        faulty = platform.start(faults=["wrong-version"], with_kube=False)
        other = stack.enter_context(faulty).variables["candidate_url"]
    urls = known["stable_url"], known["candidate_url"]
    proxy = Proxy(folder / "nginx", *urls, other=other, sticky=release.sticky and release.strategy != "rolling")
    stack.callback(proxy.stop)
    proxy.start()
    metrics = ""
    if scraper:
        (folder / "prometheus").mkdir()
        pair = [({"track": track}, Counting(url=url)) for track, url in zip(("stable", "candidate"), urls, strict=True)]
        metrics = METRICS.format(prometheus=stack.enter_context(prometheus(scraper, folder / "prometheus", pair)))
    told = {"public": proxy.url, "users": release.users, "settle": release.settle}
    driver = None
    if release.strategy == "rolling":
        driver = _workload(stack, folder / "api", release.replicas)
        cluster = driver.cluster
        environment = ROLLING.format(
            **told, kubeconfig=cluster.kubeconfig, context=cluster.context, namespace=driver.namespace
        )
    else:
        environment = ENVIRONMENT.format(
            **told,
            stable=urls[0],
            candidate=urls[1],
            kubeconfig=known["kubeconfig"],
            strategy=release.strategy,
            metrics=metrics,
        )
    for name, content in (("environments", environment), ("policies", POLICY.format(folder=folder))):
        (folder / name).mkdir()
        (folder / name / "near.toml").write_text(content)
    stage = Stage(proxy=proxy, variables=known, folder=folder, driver=driver)
    return _watched(stage, release)


def _workload(stack: ExitStack, state: Path, replicas: int) -> Driver:
    """The Deployment that a rolling update changes, as it runs before."""
    state.mkdir()
    driver = Driver(stack.enter_context(envtest.running(state)), replicas=replicas)
    stack.callback(driver.close)
    driver.begin()
    return driver


def _watched(stage: Stage, release: Release) -> Verified:
    folder = stage.folder
    command = [sys.executable, "-m", "seatrial.cli", "watch-rollout", "--env=near"]
    if release.strategy == "rolling":
        command += ["--strategy=rolling"]
    else:
        command += [f"--words={folder / 'words'}"]
    command += ["-m", "rollout or smoke"]
    command += [f"--fixtures={folder}", f"--reports={folder / 'reports'}", "--within=3m"]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deployer = threading.Thread(target=release.deploy, args=(stage,))
    deployer.start()
    try:
        output, _ = process.communicate(timeout=240)
    finally:
        process.kill()
        stage.over.set()
        deployer.join()
    return Verified(exit_code=process.returncode, output=output, folder=(folder / "reports" / "latest").resolve())
