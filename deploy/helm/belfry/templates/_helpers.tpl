{{/* Names, labels, and what several templates ask. */}}

{{- define "belfry.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "belfry.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "belfry.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "belfry.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "belfry.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The server's pods, and not those of the connection test. */}}
{{- define "belfry.selectorLabels" -}}
app.kubernetes.io/name: {{ include "belfry.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{- define "belfry.image" -}}
{{- $path := printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- if .Values.image.registry }}{{ printf "%s/%s" (trimSuffix "/" .Values.image.registry) $path }}{{ else }}{{ $path }}{{ end }}
{{- end }}

{{- define "belfry.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "belfry.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "belfry.port" -}}
{{- .Values.config.port | default 6001 | int }}
{{- end }}

{{- define "belfry.metricsPort" -}}
{{- dig "metrics" "port" 9601 .Values.config | int }}
{{- end }}

{{/* "true" or nothing. */}}
{{- define "belfry.hasMetrics" -}}
{{- if dig "metrics" "enabled" true .Values.config }}true{{ end }}
{{- end }}

{{- define "belfry.hasTls" -}}
{{- if .Values.config.tls }}true{{ end }}
{{- end }}

{{- define "belfry.appsSecret" -}}
{{- if .Values.existingSecret }}{{ .Values.existingSecret }}{{ else if .Values.apps }}{{ include "belfry.fullname" . }}-apps{{ end }}
{{- end }}

{{- define "belfry.redisSecret" -}}
{{- if .Values.redis.existingSecret }}{{ .Values.redis.existingSecret }}{{ else if .Values.redis.url }}{{ include "belfry.fullname" . }}-redis{{ end }}
{{- end }}

{{/* Whether nodes know of each other. What envFrom brings is not known here, so it gets the benefit of the doubt. */}}
{{- define "belfry.hasRedis" -}}
{{- $names := list }}
{{- range .Values.extraEnv }}{{ $names = append $names .name }}{{ end }}
{{- $byEnvironment := or (has "BELFRY_REDIS_URL" $names) (has "BELFRY_REDIS_URL_FILE" $names) (has "BELFRY_REDIS_NODES" $names) (has "REDIS_URL" $names) }}
{{- if or (include "belfry.redisSecret" .) .Values.config.redis $byEnvironment .Values.envFrom }}true{{ end }}
{{- end }}

{{/* Whether there can be more than one node. */}}
{{- define "belfry.isMany" -}}
{{- if .Values.autoscaling.enabled }}
{{- if gt (int .Values.autoscaling.maxReplicas) 1 }}true{{ end }}
{{- else if gt (int .Values.replicaCount) 1 }}true{{ end }}
{{- end }}

{{/* The configuration file. Apps and the address of Redis stay in files of their own beside it. */}}
{{- define "belfry.configuration" -}}
{{- $config := deepCopy .Values.config }}
{{- if include "belfry.appsSecret" . }}
{{- $_ := set $config "appsFile" "/etc/belfry/apps.yaml" }}
{{- end }}
{{- if include "belfry.redisSecret" . }}
{{- $_ := set $config "redis" (set (default dict $config.redis) "urlFile" "/etc/belfry/redis-url") }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* Call with a dict of probe and root. */}}
{{- define "belfry.probe" -}}
{{- $probe := deepCopy .probe }}
{{- if and (include "belfry.hasTls" .root) $probe.httpGet }}
{{- $_ := set $probe "httpGet" (merge $probe.httpGet (dict "scheme" "HTTPS")) }}
{{- end }}
{{- toYaml $probe }}
{{- end }}
