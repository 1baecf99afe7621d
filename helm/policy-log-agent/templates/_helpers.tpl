{{- define "policy-log-agent.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "policy-log-agent.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := include "policy-log-agent.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "policy-log-agent.selectorLabels" -}}
app.kubernetes.io/name: {{ include "policy-log-agent.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "policy-log-agent.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "policy-log-agent.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "policy-log-agent.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "policy-log-agent.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "policy-log-agent.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "policy-log-agent.configMapName" -}}
{{- default (include "policy-log-agent.fullname" .) .Values.existingConfigMap }}
{{- end }}

{{/* The port that the configuration listens on. */}}
{{- define "policy-log-agent.port" -}}
{{- dig "http" "listen" "0.0.0.0:9660" .Values.config | splitList ":" | last }}
{{- end }}

{{/* The folder that the configuration keeps its state in. */}}
{{- define "policy-log-agent.statePath" -}}
{{- dig "state" "path" "/var/lib/policy-log-agent" .Values.config }}
{{- end }}

{{/* What a ServiceMonitor's and a PodMonitor's endpoint have in common. */}}
{{- define "policy-log-agent.scrape" -}}
interval: {{ .interval }}
scrapeTimeout: {{ .scrapeTimeout }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
