{{/* Names of objects that belong to no namespace: two releases of one name must not meet. */}}
{{- define "policy-log-agent.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "policy-log-agent.fullname" .) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* One rule of a role. */}}
{{- define "policy-log-agent.rule" -}}
{{- $group := index . 0 }}{{ $resources := index . 1 }}{{ $verbs := index . 2 }}
{{- dict "apiGroups" (list $group) "resources" $resources "verbs" $verbs | toJson }}
{{- end }}

{{/*
What the configuration asks the API server for, as rules of a ClusterRole: for each part of it what that part reads,
and nothing else.
*/}}
{{- define "policy-log-agent.clusterRules" -}}
{{- $kubernetes := dig "enrich" "kubernetes" dict .Values.config }}
{{- $select := dig "select" dict .Values.config }}
{{- $watch := list "list" "watch" }}
{{- $rules := list }}
{{- if $kubernetes.enabled }}
{{- $core := list "pods" }}
{{- if ne (default "node" $kubernetes.scope) "node" }}
{{- $core = concat $core (list "nodes" "services") }}
{{- end }}
{{- if dig "deny" "delegate" false $select }}
{{- $core = append $core "namespaces" }}
{{- end }}
{{- $rules = append $rules (list "" $core $watch) }}
{{- if eq (default "controller" $kubernetes.workload) "top" }}
{{- $rules = append $rules (list "apps" (list "replicasets") (list "get")) }}
{{- $rules = append $rules (list "batch" (list "jobs") (list "get")) }}
{{- end }}
{{- if or $kubernetes.candidate_policies (dig "allow" "delegate" false $select) }}
{{- $rules = append $rules (list "networking.k8s.io" (list "networkpolicies") $watch) }}
{{- end }}
{{- if ne (default "none" $kubernetes.network_sets) "none" }}
{{- $group := splitList "/" $kubernetes.network_sets | first }}
{{- $rules = append $rules (list $group (list "globalnetworksets" "networksets") $watch) }}
{{- end }}
{{- if dig "events" "enabled" false $kubernetes }}
{{- $rules = append $rules (list "" (list "events") (list "create")) }}
{{- end }}
{{- end }}
{{- $objects := list }}
{{- range $rules }}
{{- $objects = append $objects (include "policy-log-agent.rule" . | fromJson) }}
{{- end }}
{{- concat $objects .Values.rbac.extraRules | toYaml }}
{{- end }}

{{/* "true" where a configuration that is refused makes an Event of the pod. */}}
{{- define "policy-log-agent.reloadEvents" -}}
{{- if dig "reload" "events" false .Values.config }}true{{ end }}
{{- end }}

{{/* "true" where the pod has anything to ask of the API server, and so needs its token. */}}
{{- define "policy-log-agent.needsToken" -}}
{{- if or (include "policy-log-agent.clusterRules" . | fromYamlArray) (include "policy-log-agent.reloadEvents" .) }}true{{ end }}
{{- end }}
