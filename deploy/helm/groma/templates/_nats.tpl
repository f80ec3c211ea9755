{{/*
Configuration of one of the servers, the same for all of them.
*/}}
{{- define "groma.natsConfiguration" -}}
{{- $name := include "groma.natsName" . -}}
# Accounts, keys and certificates come from `groma nats init`, as a Secret.
server_name: $SERVER_NAME
listen: {{ printf "%s:4222" .Values.listenAddress | quote }}
# Health for the kubelet, and the lag of consumers for KEDA. NATS has no login for it: the network policy is its guard.
http: {{ printf "%s:8222" .Values.listenAddress | quote }}
# The pod's preStop hook begins it: leaders move to the other servers, then clients do.
lame_duck_duration: 30s
jetstream {
  store_dir: "/data"
  # 90 % of the volume. NATS's default is 75 % of the free space at its start.
  max_file_store: {{ include "groma.natsStoreMiB" . }}MiB
  # An acknowledged message is on the disk.
  sync_interval: always
}
tls {
  cert_file: "/etc/groma-nats/server.pem"
  key_file: "/etc/groma-nats/server.key"
}
{{- if gt (int .Values.nats.replicas) 1 }}
cluster {
  name: {{ include "groma.fullname" . }}
  listen: {{ printf "%s:6222" .Values.listenAddress | quote }}
  # The certificate has names and no addresses of pods. Clients and KEDA find all servers by the Service's name.
  no_advertise: true
  routes: [
    {{- range $nth := until (int .Values.nats.replicas) }}
    {{ printf "nats-route://%s-%d.%s:6222" $name $nth $name | quote }}
    {{- end }}
  ]
  # Servers show each other their certificates.
  tls {
    cert_file: "/etc/groma-nats/server.pem"
    key_file: "/etc/groma-nats/server.key"
    ca_file: "/etc/groma-nats/ca.pem"
  }
}
{{- end }}
include "accounts/accounts.conf"
{{- end }}
