{{/*
Name of the chart.
*/}}
{{- define "groma.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Prefix of all names. Kubernetes allows 63 characters; the longest suffix takes 32. "groma.check" rejects longer ones: two releases
could have the same first characters.
*/}}
{{- define "groma.fullname" -}}
{{- include "groma.longName" . | trimSuffix "-" }}
{{- end }}

{{- define "groma.longName" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name }}
{{- end }}
{{- end }}

{{/*
Chart and version, for the label.
*/}}
{{- define "groma.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Labels of every object.
*/}}
{{- define "groma.labels" -}}
helm.sh/chart: {{ include "groma.chart" . }}
{{ include "groma.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: groma
{{- end }}

{{/*
Labels that select the pods of this release.
*/}}
{{- define "groma.selectorLabels" -}}
app.kubernetes.io/name: {{ include "groma.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/*
Labels that select the pods of one component: (list $ "broker").
*/}}
{{- define "groma.componentLabels" -}}
{{ include "groma.selectorLabels" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/*
Service account of the broker, the only one with an AWS identity.
*/}}
{{- define "groma.brokerServiceAccountName" -}}
{{- $default := ternary (printf "%s-broker" (include "groma.fullname" .)) "default" .Values.broker.serviceAccount.create }}
{{- default $default .Values.broker.serviceAccount.name }}
{{- end }}

{{/*
Reference of the image.
*/}}
{{- define "groma.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/*
Name of the NATS that the chart installs. The certificate of `groma nats init` has it.
*/}}
{{- define "groma.natsName" -}}
{{ include "groma.fullname" . }}-nats
{{- end }}

{{/*
URL of NATS.
*/}}
{{- define "groma.natsUrl" -}}
{{- if .Values.nats.enabled -}}
tls://{{ include "groma.natsName" . }}:4222
{{- else -}}
{{ required "nats.url is missing: with nats.enabled=false, name your server, such as tls://nats.example.com:4222" .Values.nats.url }}
{{- end }}
{{- end }}

{{/*
Services of the program, separated by spaces.
*/}}
{{- define "groma.services" -}}
sts ec2 iam inspector2 kms lambda organizations s3 s3control secretsmanager sns sqs ssm
{{- end }}

{{/*
Services that no group collects, separated by commas. Fails if a service is in two groups, or if STS is in none.
*/}}
{{- define "groma.leftOut" -}}
{{- $groups := dict }}
{{- range $group, $config := .Values.collectors }}
{{- range $config.services }}
{{- if hasKey $groups . }}
{{- fail (printf "collectors: the service %s is in two groups: %s and %s" . (get $groups .) $group) }}
{{- end }}
{{- $_ := set $groups . $group }}
{{- end }}
{{- end }}
{{- if not (hasKey $groups "sts") }}
{{- fail "collectors: no group has the service sts, which every survey needs" }}
{{- end }}
{{- $leftOut := list }}
{{- range splitList " " (include "groma.services" .) }}
{{- if not (hasKey $groups .) }}
{{- $leftOut = append $leftOut . }}
{{- end }}
{{- end }}
{{- join "," $leftOut }}
{{- end }}

{{/*
Space for the streams on each server in MiB: 90 % of its volume.
*/}}
{{- define "groma.natsStoreMiB" -}}
{{- div (mul (int64 .Values.nats.storage.sizeGiB) 1024 9) 10 }}
{{- end }}

{{/*
80 % of the memory limit of a server in MiB.
*/}}
{{- define "groma.natsHeapMiB" -}}
{{- $limit := .Values.nats.resources.limits.memory }}
{{- $number := regexFind "^[0-9]+" $limit | int64 }}
{{- div (mul (ternary (mul $number 1024) $number (hasSuffix "Gi" $limit)) 8) 10 }}
{{- end }}

{{/*
Fails if values contradict each other.
*/}}
{{- define "groma.check" -}}
{{- if gt (len (include "groma.longName" .)) 31 }}
{{- fail (printf "%s has more than 31 characters, so names of objects would be too long: set fullnameOverride" (include "groma.longName" .)) }}
{{- end }}
{{- $account := .Values.broker.serviceAccount }}
{{- if and $account.annotations (not $account.create) }}
{{- fail "broker.serviceAccount.annotations are for an account that the chart makes: with create=false, annotate your own" }}
{{- end }}
{{- if and .Values.scheduler.every (or .Values.scheduler.cron (eq .Values.scheduler.kind "CronJob")) }}
{{- fail "scheduler.every is for a Deployment without scheduler.cron: set one of them" }}
{{- end }}
{{- include "groma.checkUnused" . }}
{{- if .Values.nats.enabled }}
{{- if .Values.nats.url }}
{{- fail "nats.url is set, and nats.enabled too: set nats.enabled=false to use your own NATS" }}
{{- end }}
{{- if gt (int .Values.streams.replicas) (int .Values.nats.replicas) }}
{{- fail (printf "streams.replicas is %d, more than nats.replicas, which is %d" (int .Values.streams.replicas) (int .Values.nats.replicas)) }}
{{- end }}
{{- $store := int64 (include "groma.natsStoreMiB" .) }}
{{- if gt (mul (int64 .Values.streams.assetsMaxGiB) 1024 10) (mul $store 8) }}
{{- fail (printf "streams.assetsMaxGiB is %d, more than 80 %% of the %d MiB for streams on volumes of nats.storage.sizeGiB=%d" (int64 .Values.streams.assetsMaxGiB) $store (int64 .Values.nats.storage.sizeGiB)) }}
{{- end }}
{{- include "groma.checkNats" . }}
{{- else if and .Values.keda.enabled (not .Values.keda.natsMonitoringEndpoint) }}
{{- fail "keda.natsMonitoringEndpoint is missing: with nats.enabled=false, name HOST:PORT of your server's monitoring port" }}
{{- end }}
{{- end }}

{{/*
Fails if a value would silently do nothing.
*/}}
{{- define "groma.checkUnused" -}}
{{- $policy := .Values.networkPolicy }}
{{- if .Values.nats.enabled }}
{{- if or $policy.natsTo $policy.natsPort .Values.keda.natsMonitoringEndpoint }}
{{- fail "networkPolicy.natsTo, networkPolicy.natsPort and keda.natsMonitoringEndpoint are for a NATS of your own: set nats.enabled=false" }}
{{- end }}
{{- else if or $policy.natsMonitoringNamespaces .Values.keda.namespace }}
{{- fail "networkPolicy.natsMonitoringNamespaces and keda.namespace are for the chart's NATS: with nats.enabled=false, the policies of your NATS are yours" }}
{{- end }}
{{- end }}

{{/*
Fails if an upgrade would lose streams: in another number of servers, or with a configuration for volumes of another size, which
a StatefulSet keeps. Finds nothing without a cluster (`helm template`).
*/}}
{{- define "groma.checkNats" -}}
{{- $replicas := int64 .Values.nats.replicas }}
{{- $size := printf "%dGi" (int64 .Values.nats.storage.sizeGiB) }}
{{- with lookup "apps/v1" "StatefulSet" .Release.Namespace (include "groma.natsName" .) }}
{{- $there := int64 .spec.replicas }}
{{- if and $there (ne $there $replicas) }}
{{- fail (printf "nats.replicas is %d, and %d servers run: another number would lose streams; see \"Volumes of NATS\" in deploy/helm/README.md" $replicas $there) }}
{{- end }}
{{- range .spec.volumeClaimTemplates }}
{{- if ne .spec.resources.requests.storage $size }}
{{- fail (printf "nats.storage.sizeGiB is %s, and the StatefulSet's volumes are %s: first expand them; see \"Volumes of NATS\" in deploy/helm/README.md" (trimSuffix "Gi" $size) .spec.resources.requests.storage) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Budget of a component, so that a drain of nodes evicts one pod after the other: (list $ "broker").
*/}}
{{- define "groma.disruption" -}}
{{- $root := index . 0 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "groma.fullname" $root }}-{{ index . 1 }}
  labels:
    {{- include "groma.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ index . 1 }}
spec:
  maxUnavailable: 1
  # Also pods that are not ready, for example during an outage of NATS: they must not block a drain.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "groma.componentLabels" . | nindent 6 }}
{{- end }}

{{/*
Peers of a NetworkPolicy: every address except link-local ones, where nodes and EKS provide identities.
*/}}
{{- define "groma.anywhere" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except: [169.254.0.0/16]
- ipBlock:
    cidr: "::/0"
    except: ["fe80::/10", "fd00:ec2::/32"]
{{- end }}
