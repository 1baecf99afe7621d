{{/*
Ports that the sinks of the configuration are at, for the NetworkPolicy; as `PORT/PROTOCOL`.
*/}}
{{- define "policy-log-agent.sinkPorts" -}}
{{- $ports := list }}
{{- range $sink := .Values.config.sinks }}
{{- if eq $sink.type "syslog" }}
{{- $port := default (ternary 6514 514 (eq (toString $sink.transport) "tls")) $sink.port }}
{{- $ports = append $ports (printf "%v/%s" $port (ternary "UDP" "TCP" (eq (toString $sink.transport) "udp"))) }}
{{- end }}
{{- $addresses := concat (compact (list $sink.url $sink.endpoint)) (default list $sink.bootstrap_servers) }}
{{- if and (not $addresses) (include "policy-log-agent.isOfCloud" $sink) }}
{{- $addresses = list "https://" }}
{{- end }}
{{- range $address := $addresses }}
{{- $port := regexFind ":[0-9]+(/|$)" $address | trimAll ":/" }}
{{- if not $port }}
{{- $port = ternary "443" (ternary "80" "" (hasPrefix "http://" $address)) (hasPrefix "https://" $address) }}
{{- end }}
{{- if $port }}
{{- $ports = append $ports (printf "%s/TCP" $port) }}
{{- else if not $.Values.networkPolicy.egress }}
{{- fail (printf "networkPolicy: the port of sink %q cannot be told from %q; name it in networkPolicy.egress" $sink.name $address) }}
{{- end }}
{{- end }}
{{- end }}
{{- $ports | uniq | sortAlpha | toYaml }}
{{- end }}

{{/* "true" for a sink that asks the cloud it runs in for its address and its credentials. */}}
{{- define "policy-log-agent.isOfCloud" -}}
{{- if has .type (list "s3" "cloudwatch_logs" "google_cloud_logging") }}true{{ end }}
{{- end }}
