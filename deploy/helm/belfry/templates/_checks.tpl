{{/* What the schema cannot say: values that fit by themselves and not with each other. Each ends with what to do. */}}
{{- define "belfry.checks" -}}
{{- $many := include "belfry.isMany" . }}
{{- $redis := include "belfry.hasRedis" . }}
{{- $names := list }}
{{- range .Values.extraEnv }}{{ $names = append $names .name }}{{ end }}
{{- if and .Values.apps .Values.existingSecret }}
{{- fail "apps and existingSecret are both set: keep one of them" }}
{{- end }}
{{- if and (not .Values.apps) (not .Values.existingSecret) (not .Values.envFrom) (not (has "BELFRY_APP_ID" $names)) (not (has "REVERB_APP_ID" $names)) (not (has "PUSHER_APP_ID" $names)) (not (has "SOKETI_DEFAULT_APP_ID" $names)) }}
{{- fail "no app is configured: set apps, or existingSecret, or give BELFRY_APP_ID, BELFRY_APP_KEY and BELFRY_APP_SECRET by extraEnv or envFrom" }}
{{- end }}
{{- if and .Values.redis.url .Values.redis.existingSecret }}
{{- fail "redis.url and redis.existingSecret are both set: keep one of them" }}
{{- end }}
{{- include "belfry.checkSecrets" . }}
{{- if and $many (not $redis) }}
{{- fail "more than one replica needs Redis: set redis.url or redis.existingSecret, or replicaCount: 1 without autoscaling" }}
{{- end }}
{{- $workers := .Values.config.workers | default 1 | toString }}
{{- if and (ne $workers "1") (not $redis) }}
{{- fail "config.workers above 1 needs Redis: set redis.url or redis.existingSecret" }}
{{- end }}
{{- $drainMs := add (dig "drain" "preStopDelayMs" 5000 .Values.config | int) (dig "drain" "periodMs" 20000 .Values.config | int) }}
{{- $neededSeconds := add (div (add $drainMs 999) 1000) 20 }}
{{- if lt (int64 .Values.terminationGracePeriodSeconds) (int64 $neededSeconds) }}
{{- fail (printf "terminationGracePeriodSeconds is %d, but a stop may take %d s with config.drain: raise the first or lower the second" (int .Values.terminationGracePeriodSeconds) (int $neededSeconds)) }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
{{- fail "autoscaling.minReplicas is above autoscaling.maxReplicas" }}
{{- end }}
{{- if and .Values.autoscaling.enabled (not .Values.autoscaling.targetCPUUtilizationPercentage) (not .Values.autoscaling.customMetrics) }}
{{- fail "autoscaling has nothing to go by: set autoscaling.targetCPUUtilizationPercentage or autoscaling.customMetrics" }}
{{- end }}
{{- if and .Values.autoscaling.enabled .Values.autoscaling.targetCPUUtilizationPercentage (not (dig "requests" "cpu" "" .Values.resources)) }}
{{- fail "autoscaling.targetCPUUtilizationPercentage is a share of resources.requests.cpu: set that" }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.enabled needs ingress.hosts" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs: the Gateway it belongs to" }}
{{- end }}
{{- if and (or .Values.serviceMonitor.enabled .Values.podMonitor.enabled) (not (include "belfry.hasMetrics" .)) }}
{{- fail "serviceMonitor and podMonitor need config.metrics.enabled" }}
{{- end }}
{{- end }}

{{/* What must not be in a ConfigMap. */}}
{{- define "belfry.checkSecrets" -}}
{{- $config := .Values.config }}
{{- if or $config.apps $config.appsFile }}
{{- fail "config.apps would be in a ConfigMap, secrets included: put the apps into apps, or into the Secret of existingSecret" }}
{{- end }}
{{- if dig "redis" "url" "" $config }}
{{- fail "config.redis.url would be in a ConfigMap, password included: put it into redis.url, or into the Secret of redis.existingSecret" }}
{{- end }}
{{- if dig "redis" "sentinelPassword" "" $config }}
{{- fail "config.redis.sentinelPassword would be in a ConfigMap: mount it by extraVolumes and name it in config.redis.sentinelPasswordFile" }}
{{- end }}
{{- if dig "tls" "passphrase" "" $config }}
{{- fail "config.tls.passphrase would be in a ConfigMap: mount it by extraVolumes and name it in config.tls.passphraseFile" }}
{{- end }}
{{- end }}
