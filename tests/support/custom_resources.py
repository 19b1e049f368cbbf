"""What the templates of pipelines may hold: the fields of custom resources that they use, written down by hand.

Names and types are those of Argo Rollouts 1.10, Flagger 1.44 and Tekton 1.15, whose definitions take the templates
whole. An API server would prune an unknown field without a word, so that here it is refused. A template that is to use
another field says so here, once it was looked up. Parts of pods are opaque: the schemas of Kubernetes are for those.
"""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
WORD: Final[Schema] = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"}
NUMBER: Final[Schema] = {"type": "integer"}
SPAN: Final[Schema] = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h))+$"}
COUNT: Final[Schema] = {"type": ["integer", "string"]}
"""What Kubernetes calls int-or-string."""
OPAQUE: Final[Schema] = {"type": "object"}
LABELS: Final[Schema] = {"type": "object", "additionalProperties": TEXT}


def one_of(*words: str) -> Schema:
    return {"enum": list(words)}


def many(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def table(*required: str, **fields: Schema) -> Schema:
    """An object with these fields and no others."""
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


def resource(spec: Schema) -> Schema:
    metadata = table("name", name=WORD, namespace=WORD, labels=LABELS, annotations=LABELS)
    return table("apiVersion", "kind", "metadata", "spec", apiVersion=TEXT, kind=TEXT, metadata=metadata, spec=spec)


ARGUMENT: Final = table("name", name=TEXT, value=TEXT)
METRIC: Final = table(
    "name",
    "provider",
    name=TEXT,
    count=COUNT,
    interval=SPAN,
    initialDelay=SPAN,
    failureLimit=COUNT,
    inconclusiveLimit=COUNT,
    consecutiveErrorLimit=COUNT,
    successCondition=TEXT,
    failureCondition=TEXT,
    provider={
        "oneOf": [
            table("job", job=table("spec", spec=OPAQUE, metadata=OPAQUE)),
            table(
                "web", web=table("url", url=TEXT, timeoutSeconds=NUMBER, jsonPath=TEXT, insecure={"type": "boolean"})
            ),
        ]
    },
)
ANALYSIS: Final = table(
    "metrics", args=many(ARGUMENT), dryRun=many(table("metricName", metricName=TEXT)), metrics=many(METRIC)
)
STEP_OF_A_CANARY: Final[Schema] = {
    "oneOf": [
        table("setWeight", setWeight={"type": "integer", "minimum": 0, "maximum": 100}),
        table("pause", pause=table(duration={"type": ["integer", "string"]})),
        table(
            "analysis",
            analysis=table("templates", templates=many(table("templateName", templateName=WORD)), args=many(ARGUMENT)),
        ),
    ]
}
ROLLOUT: Final = table(
    "strategy",
    replicas=NUMBER,
    workloadRef=table("apiVersion", "kind", "name", apiVersion=TEXT, kind=TEXT, name=WORD),
    selector=table("matchLabels", matchLabels=LABELS),
    strategy=table("canary", canary=table("steps", steps=many(STEP_OF_A_CANARY))),
)

WEBHOOK: Final = table(
    "name",
    "url",
    name=TEXT,
    type=one_of(
        *("confirm-rollout", "pre-rollout", "rollout", "confirm-promotion", "post-rollout", "event", "rollback"),
        "confirm-traffic-increase",
    ),
    url={"type": "string", "format": "uri"},
    timeout=SPAN,
    muteAlert={"type": "boolean"},
    metadata=LABELS,
)
CANARY: Final = table(
    "targetRef",
    "service",
    "analysis",
    targetRef=table("kind", "name", apiVersion=TEXT, kind=one_of("Deployment", "DaemonSet", "Service"), name=WORD),
    progressDeadlineSeconds=NUMBER,
    service=table("port", port=NUMBER, targetPort=COUNT, portName=TEXT),
    analysis=table(
        "interval",
        "threshold",
        interval=SPAN,
        threshold=NUMBER,
        maxWeight=NUMBER,
        stepWeight=NUMBER,
        iterations=NUMBER,
        webhooks=many(WEBHOOK),
    ),
)

PARAMETER: Final = table("name", name=TEXT, type=one_of("string", "array", "object"), description=TEXT, default=TEXT)
GIVEN: Final = table("name", "value", name=TEXT, value=TEXT)
TEKTON_STEP: Final = table(
    "name",
    "image",
    name=WORD,
    image=TEXT,
    timeout=SPAN,
    script=TEXT,
    env=many(table("name", "value", name=TEXT, value=TEXT)),
    securityContext=OPAQUE,
    onError=one_of("continue", "stopAndFail"),
)
TASK: Final = table(
    "steps",
    description=TEXT,
    params=many(PARAMETER),
    workspaces=many(table("name", name=TEXT, description=TEXT, readOnly={"type": "boolean"})),
    results=many(table("name", name=TEXT, type=one_of("string"), description=TEXT)),
    steps=many(TEKTON_STEP),
)
WHEN: Final = table("input", "operator", "values", input=TEXT, operator=one_of("in", "notin"), values=many(TEXT))
TASK_OF_A_PIPELINE: Final[Schema] = {
    **table(
        "name",
        name=WORD,
        taskRef=table("name", name=WORD),
        taskSpec=TASK,
        when=many(WHEN),
        params=many(GIVEN),
        runAfter=many(WORD),
        timeout=SPAN,
        workspaces=many(table("name", "workspace", name=TEXT, workspace=TEXT)),
    ),
    "oneOf": [{"required": ["taskRef"]}, {"required": ["taskSpec"]}],
}
PIPELINE: Final = table(
    "tasks",
    params=many(PARAMETER),
    workspaces=many(table("name", name=TEXT, optional={"type": "boolean"})),
    tasks=many(TASK_OF_A_PIPELINE),
)

KINDS: Final[dict[tuple[str, str], Schema]] = {
    ("argoproj.io/v1alpha1", "AnalysisTemplate"): resource(ANALYSIS),
    ("argoproj.io/v1alpha1", "Rollout"): resource(ROLLOUT),
    ("flagger.app/v1beta1", "Canary"): resource(CANARY),
    ("tekton.dev/v1", "Task"): resource(TASK),
    ("tekton.dev/v1", "Pipeline"): resource(PIPELINE),
}
