#!/usr/bin/env bash
# kafka.sh - a real single-node Apache Kafka (KRaft) on 127.0.0.1, for tests and for trying things by hand.
#
#   kafka.sh fetch              the jars, by name through Maven, into build/kafka/lib (once)
#   kafka.sh start DIR [PORT]   starts a broker with its data in DIR and prints its address once it answers
#   kafka.sh run DIR [PORT]     the same in the foreground, until interrupted
#   kafka.sh stop DIR           ends the broker that start left running; the data stays
#
# Without PORT: the one DIR had before, else a free one of KAFKA_PORTS (20000-32000). KAFKA_HEAP_MB (512) and KAFKA_CACHE
# (build/kafka) can be set.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${KAFKA_CACHE:-$here/../../build/kafka}
heap=${KAFKA_HEAP_MB:-512}
ports=${KAFKA_PORTS:-20000-32000}

die() { echo "kafka.sh: $*" >&2; exit 1; }

fetch() {
    [ ! -e "$cache/complete" ] || return 0
    command -v java > /dev/null || die "no java here"
    command -v mvn > /dev/null || die "no maven here"
    mkdir -p "$cache"
    exec 9> "$cache/lock"                              # two that come at once: the second finds it done
    flock 9
    [ ! -e "$cache/complete" ] || return 0
    cp "$here/kafka.pom.xml" "$cache/pom.xml"
    (cd "$cache" && mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib) > "$cache/fetch.log" 2>&1 ||
        die "Maven could not bring Kafka; see build/kafka/fetch.log"
    touch "$cache/complete"
    exec 9>&-                                         # not for the broker to hold
}

# Below the range that the system hands to outgoing connections: a client that retries while the broker is down must not
# end up connected to itself.
free_port() {
    python3 - "$ports" <<'PY'
import random, socket, sys
first, last = map(int, sys.argv[1].split("-"))
while True:
    port = random.randrange(first, last)
    try:
        for p in (port, port + 1):
            with socket.socket() as s:
                s.bind(("127.0.0.1", p))
        break
    except OSError:
        pass
print(port)
PY
}

java=(java -Xmx"$heap"m -XX:+UseSerialGC -XX:-UsePerfData -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$cache/lib/*")

prepare() {
    dir=$1
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    port=${2:-$(cat "$dir/port" 2> /dev/null || free_port)}
    echo "$port" > "$dir/port"
    cat > "$dir/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=16777216
CONF
    # the id begins with a letter: one that began with a dash would be taken for an option
    [ -e "$dir/data/meta.properties" ] ||
        "${java[@]}" kafka.tools.StorageTool format -t "$( (printf k; head -c 15 /dev/urandom) | base64 | tr '+/' '-_' | tr -d =)" \
            -c "$dir/server.properties" > "$dir/format.log" 2>&1 || die "format failed; see $dir/format.log"
}

running() { [ -e "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2> /dev/null; }

start() {
    fetch
    prepare "$@"
    ! running "$dir" || die "already running on port $port"
    "${java[@]}" kafka.Kafka "$dir/server.properties" < /dev/null > "$dir/broker.log" 2>&1 &
    local pid=$!
    echo "$pid" > "$dir/pid"
    for _ in $(seq 600); do
        kill -0 "$pid" 2> /dev/null || { tail -5 "$dir/broker.log" >&2; die "the broker ended; see $dir/broker.log"; }
        # The broker opens this port last, when it is ready to serve.
        if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then echo "127.0.0.1:$port"; return; fi
        sleep 0.1
    done
    kill "$pid"
    die "no answer within 60 s; see $dir/broker.log"
}

run() {
    fetch
    prepare "$@"
    echo "127.0.0.1:$port" >&2
    echo $$ > "$dir/pid"
    exec "${java[@]}" kafka.Kafka "$dir/server.properties"
}

stop() {
    running "$1" || { rm -f "$1/pid"; return 0; }
    local pid
    pid=$(cat "$1/pid")
    kill "$pid"
    for _ in $(seq 150); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2> /dev/null || true
    rm -f "$1/pid"
}

case ${1:-} in
fetch) fetch ;;
start | run | stop) [ $# -ge 2 ] || die "$1 needs a folder"; "$@" ;;
*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac
