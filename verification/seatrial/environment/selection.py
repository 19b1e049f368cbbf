"""Which copy of which service a run looks at: the track under test and, beside a candidate, stable as its control."""

from __future__ import annotations

from dataclasses import dataclass, replace

from seatrial.environment.model import Environment, Service, Track
from seatrial.evidence.outcome import Role


def label_of(service: str, region: str) -> str:
    """``service``, or ``service/region``."""
    return f"{service}/{region}" if region else service


@dataclass(frozen=True, kw_only=True)
class ServiceTarget:
    """One service on one track."""

    name: str
    track: Track
    role: Role
    base_url: str
    service: Service
    region: str = ""
    """Name of the region whose copy it is; empty for the address that the service has by itself."""

    @property
    def label(self) -> str:
        """``service``, or ``service/region``."""
        return label_of(self.name, self.region)

    @property
    def workload(self) -> str | None:
        """``kind/name`` of the workload behind this track, where the environment names one."""
        own = self.service.candidate_workload if self.track == "candidate" else None
        return own or self.service.workload


def service_targets(environment: Environment, track: Track) -> tuple[ServiceTarget, ...]:
    """Every service on ``track`` as subject; under ``candidate`` also its stable copy as control.

    A service without a candidate address is looked at on stable, as the subject: it is what users of this environment
    reach while the release is being brought out.
    """
    targets: list[ServiceTarget] = []
    for name, service in environment.services.items():
        candidate = service.url.candidate if track == "candidate" else None
        if candidate is not None:
            targets.append(
                ServiceTarget(name=name, track="candidate", role=Role.SUBJECT, base_url=candidate, service=service)
            )
        role = Role.SUBJECT if candidate is None else Role.CONTROL
        targets.append(
            ServiceTarget(name=name, track="stable", role=role, base_url=service.url.stable, service=service)
        )
    return tuple(targets)


def regional_targets(environment: Environment, track: Track) -> tuple[ServiceTarget, ...]:
    """Every service in every region that has addresses of its own for it, on the same tracks as `service_targets`."""
    found: list[ServiceTarget] = []
    for region, declared in environment.regions.items():
        services = {
            name: environment.services[name].model_copy(update={"url": addresses})
            for name, addresses in declared.services.items()
            if name in environment.services
        }
        local = environment.model_copy(update={"services": services})
        found += [replace(target, region=region) for target in service_targets(local, track)]
    return tuple(found)
