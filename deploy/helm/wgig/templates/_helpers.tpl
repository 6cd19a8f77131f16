{{- define "wgig.name" -}}
{{- if contains "wgig" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-wgig" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "wgig.selector" -}}
app.kubernetes.io/name: wgig
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wgig.labels" -}}
{{ include "wgig.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "wgig.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* Restrictions of every container. */ -}}
{{- define "wgig.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* The connection of each instance to the shared store, in one place. */ -}}
{{- define "wgig.remote" -}}
{{- with .Values.remote }}{{ if .query }}
- {name: WGIG_REMOTE_PROFILE, value: {{ .profile | quote }}}
- {name: WGIG_REMOTE_QUERY, value: {{ .query | quote }}}
{{- if .update }}
- {name: WGIG_REMOTE_UPDATE, value: {{ .update | quote }}}
{{- end }}
{{- if .secret }}
- {name: WGIG_REMOTE_AUTH, value: {{ printf "%s:/run/secrets/wgig/login" .auth | quote }}}
{{- end }}
{{- end }}{{ end }}
{{- end }}
