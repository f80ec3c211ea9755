{{/*
Metadata and spec of a pod of Groma. Takes a dict:
  root       the chart's context
  component  broker, collector-<group>, graph-writer, scheduler or test
  command    subcommand of groma with its arguments
  roles      names of the NATS keys
  config     the role's values
  env        variables of the role, as a list
  neo4j      whether it connects to Neo4j
  monitored  whether it serves health and metrics
  restartPolicy  of the pod; default: Kubernetes's
*/}}
{{- define "groma.pod" -}}
{{- $root := .root }}
{{- $values := .root.Values }}
metadata:
  {{- with merge (dict) (.config.podAnnotations | default dict) $values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  labels:
    # Without versions: an upgrade of the chart restarts only pods that change.
    {{- include "groma.componentLabels" (list $root .component) | nindent 4 }}
    app.kubernetes.io/part-of: groma
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq .component "broker" }}
  serviceAccountName: {{ include "groma.brokerServiceAccountName" $root }}
  {{- end }}
  # No role calls Kubernetes's API. Web identity and EKS Pod Identity mount their own tokens.
  automountServiceAccountToken: false
  # Its variables would name every Service of the namespace.
  enableServiceLinks: false
  {{- if .restartPolicy }}
  restartPolicy: {{ .restartPolicy }}
  {{- end }}
  # Unfinished work gets 30 s (--drain-timeout); the rest returns to NATS, and another pod takes it. No preStop hook is needed:
  # clients reach no role through a Service.
  terminationGracePeriodSeconds: {{ .config.terminationGracePeriodSeconds | default 60 }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "groma.image" $root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: {{ concat .command (.config.args | default list) | toJson }}
      env:
        - name: NATS_URL
          value: {{ include "groma.natsUrl" $root | quote }}
        # A folder with <role>.nk for each role of the pod.
        - name: NATS_NKEY
          value: /etc/groma
        {{- if $values.nats.authority }}
        - name: NATS_CA
          value: /etc/groma/ca.pem
        {{- end }}
        - name: GROMA_LOG_FORMAT
          value: json
        {{- with $values.log }}
        - name: GROMA_LOG
          value: {{ . | quote }}
        {{- end }}
        {{- if .monitored }}
        - name: GROMA_MONITOR
          value: {{ printf "%s:9464" $values.listenAddress | quote }}
        {{- end }}
        {{- range .env }}
        - name: {{ .name }}
          value: {{ .value | quote }}
        {{- end }}
        {{- if .neo4j }}
        {{- range $name, $key := dict "NEO4J_URI" "uri" "NEO4J_USER" "user" "NEO4J_PASSWORD" "password" }}
        - name: {{ $name }}
          valueFrom:
            secretKeyRef:
              name: {{ $values.neo4j.secret }}
              key: {{ $key }}
        {{- end }}
        {{- with $values.neo4j.database }}
        - name: NEO4J_DATABASE
          value: {{ . | quote }}
        {{- end }}
        {{- if $values.neo4j.authority }}
        - name: NEO4J_CA
          value: /etc/neo4j/ca.pem
        {{- end }}
        {{- end }}
        {{- $own := .config.env | default list }}
        {{- $names := dict }}
        {{- range $own }}
        {{- $_ := set $names .name true }}
        {{- end }}
        {{- range $values.env }}
        {{- if not (hasKey $names .name) }}
        {{- $own = append $own . }}
        {{- end }}
        {{- end }}
        {{- with $own }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if .monitored }}
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
      {{- end }}
      resources:
        {{- toYaml .config.resources | nindent 8 }}
      {{- with $values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: keys
          mountPath: /etc/groma
          readOnly: true
        {{- if and .neo4j $values.neo4j.authority }}
        - name: neo4j
          mountPath: /etc/neo4j
          readOnly: true
        {{- end }}
        {{- with .config.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: keys
      projected:
        defaultMode: 0440
        sources:
          {{- range $nth, $role := .roles }}
          - secret:
              name: {{ $values.nats.secretPrefix }}-{{ $role }}
              items:
                - key: {{ $role }}.nk
                  path: {{ $role }}.nk
                {{- if and $values.nats.authority (eq $nth 0) }}
                # It is the same in all of them.
                - key: ca.pem
                  path: ca.pem
                {{- end }}
          {{- end }}
    {{- if and .neo4j $values.neo4j.authority }}
    - name: neo4j
      secret:
        secretName: {{ $values.neo4j.secret }}
        defaultMode: 0440
        items:
          - key: ca.pem
            path: ca.pem
    {{- end }}
    {{- with .config.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "groma.placement" (list $root .component) | nindent 2 }}
{{- end }}

{{/*
Nodes of a pod: (list $ component), and for nodes what to do without room, instead of ScheduleAnyway. Pods of a component spread
over nodes and zones where there is room.
*/}}
{{- define "groma.placement" -}}
{{- $root := index . 0 -}}
{{- $onNodes := "ScheduleAnyway" }}
{{- if gt (len .) 2 }}
{{- $onNodes = index . 2 }}
{{- end -}}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ ternary $onNodes "ScheduleAnyway" (eq $key "kubernetes.io/hostname") }}
    labelSelector:
      matchLabels:
        {{- include "groma.componentLabels" $ | nindent 8 }}
  {{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
