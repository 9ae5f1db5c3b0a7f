# Builds with the development packages, runs without them, as a user without rights. Nothing is written to the image's own folders: it runs with
# `--read-only`. The digest names the base image beyond doubt, whatever its tag comes to mean.
FROM node:20.20.2-slim@sha256:2cf067cfed83d5ea958367df9f966191a942351a2df77d6f0193e162b5febfc0 AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No package has to run a script of its own to be installed.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY src src
COPY workers workers
COPY bench bench
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:20.20.2-slim@sha256:2cf067cfed83d5ea958367df9f966191a942351a2df77d6f0193e162b5febfc0
ENV NODE_ENV=production
# Inside the container; what the host publishes of it is decided by `docker run -p`. The engine cannot see that: it starts with
# API keys (MDP_API_KEYS), or when told that it is not open to others (MDP_INSECURE_PUBLIC=true).
ENV MDP_HOST=0.0.0.0
# One heap for all threads: what a worker that died leaves in it serves whoever asks next. By itself the C library gives each thread a part of its
# own, up to eight a core, and every one grows once to the most a worker ever needs. Fixed thresholds: by itself it raises them with the
# largest block ever freed, and then gives nothing back.
ENV GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=262144:glibc.malloc.trim_threshold=1048576
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY config config
COPY proto proto
USER node
EXPOSE 8080 50051
HEALTHCHECK --interval=10s --timeout=3s --start-period=300s --retries=3 \
  CMD ["node", "-e", "const s=process.env.MDP_TLS_CERT?'https':'http';require(s).get(`${s}://127.0.0.1:${process.env.MDP_PORT||8080}/health/ready`,{rejectUnauthorized:false},r=>process.exit(r.statusCode===200?0:1)).on('error',()=>process.exit(1))"]
CMD ["node", "dist/src/main.js", "start"]
