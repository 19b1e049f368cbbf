"""Brings a release out while it is watched."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from rollout.proxy import Proxy
from rollout.stage import ENVIRONMENT, POLICY, Deploy, Stage, Verified
from seatrial.demo import platform
from support.verified import REPOSITORY, clean_environment


@pytest.fixture
def bring_out(tmp_path: Path, need: Callable[[str], str]) -> Iterator[Callable[..., Verified]]:
    """Bring a release out by ``deploy`` while `seatrial watch-rollout` watches it, and let it decide."""
    need("nginx")
    with ExitStack() as stack:

        def go(
            strategy: str, deploy: Deploy, *, faults: Sequence[str] = (), sticky: bool = True, third: bool = False
        ) -> Verified:
            running = stack.enter_context(platform.start(faults=faults))
            known = running.variables
            (tmp_path / "nginx").mkdir()
            other = ""
            if third:
                faulty = platform.start(faults=["wrong-version"], with_kube=False)
                other = stack.enter_context(faulty).variables["candidate_url"]
            proxy = Proxy(tmp_path / "nginx", known["stable_url"], known["candidate_url"], other=other, sticky=sticky)
            stack.callback(proxy.stop)
            proxy.start()
            for name, content in (
                ("environments", ENVIRONMENT),
                ("policies", POLICY),
            ):
                (tmp_path / name).mkdir()
                text = (
                    content
                    if name == "policies"
                    else content.format(
                        stable=known["stable_url"],
                        candidate=known["candidate_url"],
                        public=proxy.url,
                        kubeconfig=known["kubeconfig"],
                        strategy=strategy,
                    )
                )
                (tmp_path / name / "near.toml").write_text(text)
            command = [sys.executable, "-m", "seatrial.cli", "watch-rollout", "--env=near", "-m", "rollout or smoke"]
            command.append(f"--words={tmp_path / 'words'}")
            command += [f"--fixtures={tmp_path}", f"--reports={tmp_path / 'reports'}", "--within=3m"]
            process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env=clean_environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            stage = Stage(proxy=proxy, variables=known, folder=tmp_path)
            deployer = threading.Thread(target=deploy, args=(stage,))
            deployer.start()
            try:
                output, _ = process.communicate(timeout=240)
            finally:
                process.kill()
                stage.over.set()
                deployer.join()
            return Verified(
                exit_code=process.returncode, output=output, folder=(tmp_path / "reports" / "latest").resolve()
            )

        yield go
