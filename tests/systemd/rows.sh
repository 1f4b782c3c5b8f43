#!/bin/sh
# rows.sh all|service|disk|more|socket - inside the machine of trial.sh: what happens to bobbind under systemd, one line of TAP for each fact.
exec >/dev/ttyS1
url=http://127.0.0.1:7070

n=0
fact() { # TITLE COMMAND... - whether COMMAND is true; what it says is told when it is not
    title=$1
    shift
    n=$((n + 1))
    said=$("$@" 2>&1) || { printf '%s\n' "$said" | sed 's/^/# /'; log | tail -n 20 | sed 's/^/# /'; printf 'not '; }
    echo "ok $n - $title"
}
note() { sed 's/^/# /'; }
show() { systemctl show -P "$1" "${2:-bobbind.service}"; }
log() { journalctl --no-pager -o cat -u bobbind.service -u bobbind.socket --since "@$since" "$@"; }
is() { [ "$1" = "$2" ] || { echo "it is: $1"; return 1; }; }
has() { case $1 in *"$2"*) ;; *) echo "it is: $1"; return 1 ;; esac; }

within() { # SECONDS TEXT - waits until the command that TEXT is, read anew each time, is true
    end=$(($(date +%s) + $1))
    until eval "$2" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt $end ] || { eval "$2"; return 1; }
        sleep 0.2
    done
}

with() { # SETTING... - both units stopped, the store empty, and these settings of [Service] for the next start
    systemctl stop bobbind.socket bobbind.service
    systemctl reset-failed bobbind.socket bobbind.service 2>/dev/null
    rm -rf /var/lib/private/bobbin/* /run/systemd/system/bobbind.*.d
    mkdir -p /run/systemd/system/bobbind.service.d
    printf '%s\n' '[Service]' "$@" >/run/systemd/system/bobbind.service.d/trial.conf
    systemctl daemon-reload
    sleep 1
    since=$(date +%s)
}

task() { # ARGUMENT... - submits a task with these; its URL
    curl -s -X PUT "$url/v1/executors/e" -d max_workers=1 >/dev/null
    echo "$url$(curl -s -D - -o /dev/null -X POST "$url/v1/executors/e/tasks" "$@" | sed -n 's/^Location: \([^\r]*\)\r*$/\1/p')"
}
state() { curl -s "$1" | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p'; }
in_state() { is "$(state "$1")" "$2"; }

rows_service() {
    with
    fact "it starts" systemctl start bobbind
    fact "its status is its URL" is "$(show StatusText)" "$url"
    pid=$(show MainPID)
    policies=$(for thread in /proc/"$pid"/task/*; do chrt -p "${thread##*/}" | sed -n 's/.*policy: //p'; done | sort | uniq -c | xargs)
    echo "$policies" | note
    fact "all its threads run under SCHED_BATCH" is "${policies#* }" SCHED_BATCH

    printf '#!/bin/sh\nulimit -v; ulimit -c; cat /proc/self/oom_score_adj; chrt -p $$\n' >/usr/local/bin/limits
    printf '#!/bin/sh\nexec python3 -c "all = [bytearray(1 << 20) for _ in range(1 << 10)]"\n' >/usr/local/bin/greedy
    chmod +x /usr/local/bin/limits /usr/local/bin/greedy
    with MemoryMax=200M Environment=BOBBIN_COMMAND=limits=/usr/local/bin/limits,greedy=/usr/local/bin/greedy
    systemctl start bobbind
    pid=$(show MainPID)
    one=$(task -d kind=command -d name=limits)
    within 60 'in_state "$one" succeeded'
    curl -s "$one/result" | note
    fact "a command has the limits that it should have" has "$(curl -s "$one/result")" '4194304\n0\n1000\n'
    fact "... and the plain policy" has "$(curl -s "$one/result")" SCHED_OTHER
    one=$(task -d kind=command -d name=greedy)
    within 60 'in_state "$one" failed'
    curl -s "$one" | note
    fact "a command that takes all memory is killed" has "$(curl -s "$one")" 'signal 9'
    fact "the server lives on" is "$(show MainPID)" "$pid"

    with Environment=BOBBIN_STOP_TIMEOUT=90s
    systemctl start bobbind
    one=$(task -d kind=sleep -d seconds=85)
    within 60 'in_state "$one" running'
    began=$(date +%s)
    systemctl stop bobbind
    took=$(($(date +%s) - began))
    echo "the stop took $took s, result $(show Result)" | note
    fact "a task of 85 s may finish within BOBBIN_STOP_TIMEOUT=90s" is "$(show Result) $((took >= 75))" "success 1"
    systemctl start bobbind
    fact "... and has succeeded" in_state "$one" succeeded

    with Environment=BOBBIN_MAX_BODY=5X
    systemctl start bobbind
    log -p err | note
    fact "a wrong option is an error in the journal" has "$(log -p err)" 'bobbind: BOBBIN_MAX_BODY: "5X" is not'
    sleep 3
    fact "... and tried once" is "$(show ActiveState) $(show ExecMainStatus) $(show NRestarts)" "failed 2 0"
    with ExecStart= 'ExecStart=/usr/local/sbin/bobbind --durabillity=full'
    systemctl start bobbind
    fact "so is a misspelt one" has "$(log -p err)" 'is --durability meant?'
    with 'ExecStart=' 'ExecStart=/usr/local/sbin/bobbind --listen 0.0.0.0:7070'
    systemctl start bobbind
    fact "and an address off loopback" has "$(show ExecMainStatus) $(log -p err)" '2 bobbind: cannot start: listen: 0.0.0.0 can be reached'

    with
    systemctl start bobbind
    began=$(date +%s)
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
        systemctl kill --kill-whom=main -s KILL bobbind
        sleep 1.3
    done
    fact "it is started again after each of twelve crashes" within 60 'is "$(systemctl is-active bobbind)" active'
    echo "$(show NRestarts) restarts in $(($(date +%s) - began)) s" | note
    fact "... a second or more apart" is $(($(show NRestarts) >= 6 && $(show NRestarts) <= $(date +%s) - began)) 1
}

rows_disk() {
    with Environment=BOBBIN_COMMAND=true=/bin/true Environment=BOBBIN_RESERVE=1M
    mkdir -p /var/lib/private/bobbin
    mount -t tmpfs -o size=48M none /var/lib/private/bobbin
    systemctl start bobbind
    dd if=/dev/zero of=/var/lib/private/bobbin/fill bs=1M 2>/dev/null
    head -c 60000 /dev/zero | tr '\0' x >/tmp/large
    curl -s -X PUT "$url/v1/executors/e" -d max_workers=1 >/dev/null
    within 120 'has "$(curl -s -X POST $url/v1/executors/e/tasks -d kind=command -d name=true -d delay=1h --data-urlencode input@/tmp/large)" store_full'
    curl -s "$url/readyz" | note
    fact "with the disk full its status says so" within 60 'has "$(show StatusText)" "$url is not ready: the disk is full"'
    show StatusText | note
    rm /var/lib/private/bobbin/fill
    fact "... and no longer once there is room" within 60 'is "$(show StatusText)" "$url"'
    systemctl stop bobbind
    umount /var/lib/private/bobbin
}

rows_more() {
    mkdir -p /srv/bob
    with Environment=BOBBIN_DATA=/srv/bob
    systemctl start bobbind
    log -p err | note
    fact "a folder that it may not write to: its setting is named" has "$(log -p err)" 'ReadWritePaths='
    useradd -r bob
    chown bob /srv/bob
    with Environment=BOBBIN_DATA=/srv/bob ReadWritePaths=/srv/bob DynamicUser=no User=bob
    fact "... and helps" systemctl start bobbind

    with Environment=BOBBIN_ACCESS_LOG=yes
    systemctl start bobbind
    python3 /dev/stdin <<'END' | note
import socket, time
end, n = time.monotonic() + 20, 0
one = socket.create_connection(("127.0.0.1", 7070))
ask = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
while time.monotonic() < end:
    one.sendall(20 * ask)
    got = 0
    while got < 20:
        got += one.recv(65536).count(b"HTTP/1.1 200")
    n += 20
print(n, "requests in 20 s")
END
    systemctl stop bobbind
    sleep 1
    log | grep -c '^request ' | note
    log | grep -v '^request ' | tail -n 8 | note
    journalctl -b --no-pager -o cat -u systemd-journald | grep -i suppressed | note
    fact "under load the journal drops nothing" is "$(journalctl -b --no-pager | grep -ci 'suppressed .* messages from bobbind')" 0
    fact "... counts what was left out" has "$(log)" lines_left_out
    fact "... and has the end" has "$(log | grep '^stop' | xargs)" 'stopping signal=SIGTERM tasks_running=0 at_most_s=20 stopped status=0'
}

rows_socket() {
    with
    fact "the socket unit starts ($(sysctl -n net.ipv6.conf.all.disable_ipv6 2>/dev/null || echo no IPv6))" systemctl start bobbind.socket
    fact "who connects is served" is "$(curl -s $url/livez)" ok
    fact "... and nothing is warned of" is "$(log -p warning | grep -v "IPv6\|Unknown key" | wc -l)" 0
    curl -sg 'http://[::1]:7070/livez' | note
}

rows_socket_more() {
    with Environment=BOBBIN_LISTEN=127.0.0.1:8080
    systemctl start bobbind.socket
    curl -s $url/livez >/dev/null
    fact "an address that does not count is named" has "$(log -p warning)" listen_ignored

    with
    mkdir -p /run/systemd/system/bobbind.socket.d
    printf '[Socket]\nListenStream=\nListenStream=0.0.0.0:7070\n' >/run/systemd/system/bobbind.socket.d/trial.conf
    systemctl daemon-reload
    systemctl start bobbind.socket
    curl -s --max-time 60 $url/livez
    sleep 3
    log -p err | sort | uniq -c | note
    fact "... and once for each client, who is let go" is "$(log -p err | grep -c 'cannot start')" 1
    systemctl stop bobbind.socket
    fact "a socket off loopback is refused" has "$(show ExecMainStatus) $(log -p err)" '2 bobbind: cannot start: listen: 0.0.0.0'
    fact "... before the store is read" is "$(log | grep -c recovered)" 0

    with
    systemctl start bobbind.service
    systemctl enable bobbind.service bobbind.socket
    systemctl stop bobbind.service
    systemctl start bobbind.socket bobbind.service
    fact "both units together: the service takes the socket" is "$(log | grep -c listening_too)" 1
    for _ in 1 2 3 4 5 6; do
        systemctl kill --kill-whom=main -s KILL bobbind
        curl -s --max-time 30 $url/livez | grep -qx ok || echo "# refused"
    done
    fact "a client waits at the socket while it is started again" is "$(curl -s $url/livez)" ok
}

uname -r | note
systemctl --version | head -n 1 | note
case $1 in
all)
    rows_service
    rows_disk
    rows_more
    rows_socket
    rows_socket_more
    sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.lo.disable_ipv6=1
    rows_socket
    ;;
*) "rows_$1" ;;
esac
echo "1..$n"
