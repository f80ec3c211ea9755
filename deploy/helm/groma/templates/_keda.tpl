{{/*
Trigger of a ScaledObject by the lag of a JetStream consumer: (list $ stream consumer threshold).
*/}}
{{- define "groma.lag" -}}
{{- $root := index . 0 -}}
- type: nats-jetstream
  metadata:
    {{- if $root.Values.nats.enabled }}
    # The headless Service: KEDA puts the name of the consumer's leader before it.
    natsServerMonitoringEndpoint: {{ include "groma.natsName" $root }}.{{ $root.Release.Namespace }}.svc:8222
    {{- else }}
    natsServerMonitoringEndpoint: {{ $root.Values.keda.natsMonitoringEndpoint | quote }}
    {{- end }}
    account: {{ $root.Values.keda.account | quote }}
    stream: {{ index . 1 }}
    consumer: {{ index . 2 }}
    lagThreshold: {{ index . 3 | int64 | quote }}
{{- end }}

{{/*
ScaledObject of a Deployment, without triggers: (list $ component minReplicas maxReplicas pollingInterval).
*/}}
{{- define "groma.scaled" -}}
{{- $root := index . 0 -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "groma.fullname" $root }}-{{ index . 1 }}
  labels:
    {{- include "groma.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ index . 1 }}
spec:
  scaleTargetRef:
    name: {{ include "groma.fullname" $root }}-{{ index . 1 }}
  minReplicaCount: {{ index . 2 }}
  maxReplicaCount: {{ index . 3 }}
  pollingInterval: {{ index . 4 }}
  cooldownPeriod: {{ $root.Values.keda.cooldownPeriod }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          # A pod that ends gives unfinished work back. Less of that, if less work is only a pause between accounts.
          stabilizationWindowSeconds: 600
{{- end }}
