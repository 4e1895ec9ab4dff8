# The image of Belfry: `docker build -t belfry .`. How to run it is in docs/docker.md.
#
# No step names an architecture: Node and the WebSocket library's binary are those of the platform that the step runs on.
# `npm run test:image` performs these very steps without Docker, starts the result and looks at what is in it.

# Compiles src/.
FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY .ci/ ./.ci/
COPY src/ ./src/
RUN node .ci/build.js && node .ci/prune-image.js dist

# What the program needs at run time, and nothing of what it is developed with.
FROM node:22-bookworm-slim AS packages
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# Of what is installed: asked with --omit=dev, npm 10 and 11 leave out what tools of development need too (npm/cli#7909).
RUN npm pkg delete devDependencies && npm sbom --sbom-format=cyclonedx > sbom.cdx.json
COPY .ci/prune-image.js ./.ci/
RUN node .ci/prune-image.js node_modules
# Node's own program only: npm, yarn and corepack stay behind.
RUN mkdir bin && cp /usr/local/bin/node bin/node && ln -s /app/dist/main.js bin/belfry

# Nothing is run here, so that all that is in the image can be read above and below. Most stable first.
FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Belfry" \
      org.opencontainers.image.description="A Pusher-protocol WebSocket server that you run yourself." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.vendor="Belfry contributors" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
COPY --from=packages /build/bin/ /usr/local/bin/
COPY --from=packages /usr/local/LICENSE /usr/share/doc/node/LICENSE
COPY --from=packages /build/node_modules/ /app/node_modules/
COPY --from=packages /build/sbom.cdx.json /usr/share/belfry/sbom.cdx.json
COPY package.json LICENSE NOTICE /app/
COPY --from=build /build/dist/ /app/dist/

# Metrics are asked for from outside of the container; their port must not be published to the world.
ENV NODE_ENV=production \
    BELFRY_METRICS_HOST=0.0.0.0
# A belfry.yaml mounted here is found without a flag.
WORKDIR /etc/belfry
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 6001 9601
STOPSIGNAL SIGTERM
# By the environment or the file, not by flags, it learns of another port.
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s --retries=3 \
  CMD ["/usr/local/bin/node", "/app/dist/main.js", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/main.js"]
CMD ["start"]
