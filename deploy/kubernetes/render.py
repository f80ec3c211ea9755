#!/usr/bin/env python3
"""Writes `collectors.yaml`: a deployment for each service of the catalog, all of the image `groma-collectors`.

    python3 deploy/kubernetes/render.py

Small services may share a pod: give one container several services as arguments, and mount the keys of all of them into the
folder that `NATS_NKEY` then names.
"""

from __future__ import annotations

import sys
from pathlib import Path
from string import Template

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests" / "dev"))

import catalog

FILE = HERE / "collectors.yaml"
# Of services with many assets or many calls, and of all others.
LARGE = {"replicas": 2, "request": "128Mi", "limit": "512Mi"}
SMALL = {"replicas": 1, "request": "64Mi", "limit": "256Mi"}
WITH_MUCH = {"ec2", "iam", "inspector2"}
HEAD = """# Written by `render.py` from the catalog.
# As many of each as you like: every account and region is held by one of them at a time.
"""
DEPLOYMENT = Template("""apiVersion: apps/v1
kind: Deployment
metadata:
  name: groma-collector-${service}
  labels:
    app.kubernetes.io/name: groma-collector-${service}
    app.kubernetes.io/part-of: groma
spec:
  replicas: ${replicas}
  selector:
    matchLabels:
      app.kubernetes.io/name: groma-collector-${service}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: groma-collector-${service}
        app.kubernetes.io/part-of: groma
        app.kubernetes.io/component: collector
    spec:
      automountServiceAccountToken: false
      # Running work may finish; unfinished work goes to another pod.
      terminationGracePeriodSeconds: 60
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        fsGroup: 65532
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: collector-${service}
          image: groma-collectors
          args: [${service}]
          env:
            - name: NATS_URL
              value: tls://groma-nats:4222
            - name: NATS_CA
              value: /etc/groma/ca.pem
            - name: NATS_NKEY
              value: /etc/groma/collector-${service}.nk
            - name: GROMA_LOG_FORMAT
              value: json
            - name: GROMA_MONITOR
              value: 0.0.0.0:9464
          ports:
            - name: monitor
              containerPort: 9464
          # Loops that no longer continue. An outage of NATS, Neo4j or AWS is none: a restart would not help.
          livenessProbe:
            httpGet:
              path: /healthz
              port: monitor
            periodSeconds: 20
            timeoutSeconds: 5
          readinessProbe:
            httpGet:
              path: /readyz
              port: monitor
            periodSeconds: 10
            timeoutSeconds: 5
          resources:
            requests:
              cpu: 100m
              memory: ${request}
            limits:
              memory: ${limit}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: key
              mountPath: /etc/groma
              readOnly: true
      volumes:
        - name: key
          secret:
            secretName: groma-nats-collector-${service}
            defaultMode: 0440
""")


def text() -> str:
    return HEAD + "---\n".join(deployment(name) for name in catalog.names())


def deployment(service: str) -> str:
    return DEPLOYMENT.substitute(service=service, **(LARGE if service in WITH_MUCH else SMALL))


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
