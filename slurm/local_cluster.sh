#!/usr/bin/env bash
# A real SLURM on this machine, on loopback: to try a sweep before it goes to a cluster, and for the tests.
#
#   local_cluster.sh start [--accounting] [--user-signal] [--nodes N] [--cpus N] [--gpus N]
#   local_cluster.sh stop [--purge]
#
# Debian or Ubuntu, root. Installs slurmctld, slurmd, munge (4 MB) unless they are there; starts within seconds.
#   --accounting    slurmdbd and MariaDB, so that sacct works; without, as on clusters that have none
#   --user-signal   a preempted job gets its --signal first; without, only SIGTERM, which is SLURM's default
#   --nodes N       N slurmd on this machine (default 1); --cpus N CPUs that each declares (default 8)
#   --gpus N        pretended GPUs per node (default 2): devices that do nothing
# Partitions: `debug` (default), whose jobs can be preempted and requeued, and `high`, whose jobs preempt.
# `start` does nothing where the cluster runs already. Nothing is enforced: no cgroups, no memory limits.
set -euo pipefail

STATE=${SLURM_LOCAL_STATE:-/var/lib/slurm-local}
LOG=$STATE/log RUN=$STATE/run CONF=/etc/slurm/slurm.conf HOST=$(hostname -s)

alive() { # alive NAME COMMAND: whether the process of a pid file runs and is that program
  local pid
  pid=$(cat "$RUN/$1.pid" 2>/dev/null) && [ -n "$pid" ] && [[ "$(cat "/proc/$pid/comm" 2>/dev/null)" == "$2"* ]]
}
wait_for() { # wait_for SECONDS COMMAND...
  local tenths=$(($1 * 10))
  shift
  until "$@" >/dev/null 2>&1; do
    tenths=$((tenths - 1))
    [ $tenths -gt 0 ] || { echo "waited in vain for: $*" >&2; return 1; }
    sleep 0.1
  done
}
background() { # background NAME COMMAND...: a daemon in a session of its own
  local name=$1
  shift
  setsid "$@" </dev/null >"$LOG/$name.out" 2>&1 &
}

install_packages() {
  local wanted=(slurmctld slurmd slurm-client munge) missing=() package
  [ "$ACCOUNTING" = 1 ] && wanted+=(slurmdbd slurm-wlm-mysql-plugin mariadb-server)
  for package in "${wanted[@]}"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
  [ ${#missing[@]} -eq 0 ] && return
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$LOG/apt.log" 2>&1 ||
    { tail -20 "$LOG/apt.log" >&2; return 1; }
}

start_munge() {
  alive munged munged && return
  [ -s /etc/munge/munge.key ] || mungekey --create --keyfile=/etc/munge/munge.key
  install -d -o munge -g munge -m 0755 /run/munge
  install -d -o munge -g munge -m 0711 /var/lib/munge
  install -d -o munge -g munge -m 0700 /var/log/munge
  chown munge:munge /etc/munge/munge.key
  chmod 0400 /etc/munge/munge.key
  pkill -x munged 2>/dev/null && sleep 0.5
  rm -f /run/munge/munge.socket.2 /run/munge/munge.socket.2.lock
  background munged runuser -u munge -- /usr/sbin/munged --foreground --num-threads 2
  wait_for 10 test -s /run/munge/munged.pid
  cp /run/munge/munged.pid "$RUN/munged.pid"
  wait_for 10 bash -c 'munge -n | unmunge'
}

write_configuration() {
  local memory signals="" nodes="" gres="" storage number names
  memory=$(awk '/MemTotal/{print int($2/1024*0.9)}' /proc/meminfo)
  [ "$USER_SIGNAL" = 1 ] && signals="SlurmctldParameters=preempt_send_user_signal"
  if [ "$GPUS" -gt 0 ]; then
    # slurmd accepts nothing but character devices, so these are copies of /dev/null.
    for number in $(seq 0 $((GPUS - 1))); do
      [ -c "$STATE/gpu$number" ] || mknod -m 666 "$STATE/gpu$number" c 1 3
    done
    printf 'AutoDetect=off\nName=gpu File=%s/gpu[0-%d]\n' "$STATE" $((GPUS - 1)) >/etc/slurm/gres.conf
    gres="Gres=gpu:$GPUS"
  else
    echo 'AutoDetect=off' >/etc/slurm/gres.conf
  fi
  echo 'CgroupAutomount=no' >/etc/slurm/cgroup.conf # not used, but it must not be empty
  names=$(node_names | paste -sd, -)
  for number in $(seq 1 "$NODES"); do
    local name
    name=$(node_names | sed -n "${number}p")
    nodes+="NodeName=$name NodeAddr=127.0.0.1 NodeHostname=$HOST Port=$((17000 + number)) CPUs=$CPUS Sockets=1 "
    nodes+="CoresPerSocket=$CPUS ThreadsPerCore=1 RealMemory=$((memory / NODES)) $gres State=UNKNOWN"$'\n'
  done
  storage="AccountingStorageType=accounting_storage/none"
  [ "$ACCOUNTING" = 1 ] && storage=$'AccountingStorageType=accounting_storage/slurmdbd\nAccountingStorageHost=127.0.0.1'
  cat >"$STATE/slurm.conf" <<CONFIGURATION
ClusterName=prefillroute-local
SlurmctldHost=$HOST(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A requeued job waits for so many seconds before it starts again; the default is 120.
AuthInfo=cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPidFile=$RUN/slurmctld.pid
SlurmdPidFile=$RUN/slurmd-%n.pid
SlurmctldLogFile=$LOG/slurmctld.log
SlurmdLogFile=$LOG/slurmd-%n.log
StateSaveLocation=$STATE/ctld
SlurmdSpoolDir=$STATE/slurmd-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1024
# So that a small machine may declare more CPUs than it has.
SlurmdParameters=config_overrides
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
$signals
JobRequeue=1
MinJobAge=3600
KillWait=10
CompleteWait=0
InactiveLimit=0
$([ "$GPUS" -gt 0 ] && echo "GresTypes=gpu")
$storage
JobCompType=jobcomp/none
$nodes
PartitionName=debug Nodes=$names Default=YES DefaultTime=60 State=UP PriorityTier=10 PreemptMode=REQUEUE GraceTime=30
PartitionName=high Nodes=$names DefaultTime=60 State=UP PriorityTier=100 PreemptMode=OFF
CONFIGURATION
  if ! cmp -s "$STATE/slurm.conf" "$CONF"; then
    if alive slurmctld slurmctld; then
      echo "a cluster with other settings runs: local_cluster.sh stop --purge" >&2
      return 1
    fi
    install -m 0644 "$STATE/slurm.conf" "$CONF"
  fi
}

node_names() {
  if [ "$NODES" = 1 ]; then echo "$HOST"; else seq -f 'n%g' 1 "$NODES"; fi
}

start_accounting() {
  local socket=$RUN/mysqld.sock
  if ! alive mariadbd mariadbd; then
    install -d -o mysql -g mysql -m 0755 "$STATE/mysql"
    chown mysql "$RUN"
    [ -d "$STATE/mysql/mysql" ] || mariadb-install-db --no-defaults --user=mysql --datadir="$STATE/mysql" \
      --skip-test-db --auth-root-authentication-method=socket >"$LOG/mariadb-install.log" 2>&1
    background mariadbd mariadbd --no-defaults --user=mysql --datadir="$STATE/mysql" --socket="$socket" \
      --skip-networking --pid-file="$RUN/mariadbd.pid" --innodb-buffer-pool-size=64M \
      --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0 --performance-schema=OFF
    wait_for 60 mariadb --no-defaults -uroot --socket="$socket" -e 'select 1'
    mariadb --no-defaults -uroot --socket="$socket" -e "CREATE DATABASE IF NOT EXISTS slurm_acct_db;
      CREATE USER IF NOT EXISTS slurm@localhost IDENTIFIED BY 'slurm';
      GRANT ALL ON slurm_acct_db.* TO slurm@localhost;"
  fi
  cat >/etc/slurm/slurmdbd.conf <<CONFIGURATION
AuthType=auth/munge
DbdHost=localhost
DbdAddr=127.0.0.1
SlurmUser=root
LogFile=$LOG/slurmdbd.log
PidFile=$RUN/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
CONFIGURATION
  chmod 0600 /etc/slurm/slurmdbd.conf
  if ! alive slurmdbd slurmdbd; then
    MYSQL_UNIX_PORT="$socket" background slurmdbd slurmdbd -D
    wait_for 30 sacctmgr -n list cluster
  fi
  sacctmgr -n list cluster format=cluster%30 | grep -qw prefillroute-local || sacctmgr -i add cluster prefillroute-local >/dev/null
}

start_slurm() {
  local name
  if ! alive slurmctld slurmctld; then
    rm -f "$RUN/slurmctld.pid"
    background slurmctld slurmctld -D
    wait_for 30 scontrol ping
  fi
  for name in $(node_names); do
    if ! alive "slurmd-$name" slurmd; then
      rm -f "$RUN/slurmd-$name.pid"
      mkdir -p "$STATE/slurmd-$name"
      grep -qE "\s$name\$" /etc/hosts || echo "127.0.0.1 $name" >>/etc/hosts
      background "slurmd-$name" slurmd -D -N "$name"
    fi
  done
  if ! wait_for 30 ready; then
    for name in $(node_names); do scontrol update NodeName="$name" State=RESUME >/dev/null 2>&1 || true; done
    wait_for 30 ready || { sinfo -R >&2; tail -5 "$LOG"/slurm*.log >&2; return 1; }
  fi
}
ready() { [ -n "$(sinfo -h -o %T)" ] && ! sinfo -h -N -o %T | grep -qE 'unk|down|drain|\*'; }

start() {
  ACCOUNTING=0 USER_SIGNAL=0 NODES=1 CPUS=8 GPUS=2
  while [ $# -gt 0 ]; do
    case "$1" in
      --accounting) ACCOUNTING=1 ;;
      --user-signal) USER_SIGNAL=1 ;;
      --nodes) NODES=$2; shift ;;
      --cpus) CPUS=$2; shift ;;
      --gpus) GPUS=$2; shift ;;
      *) echo "local_cluster.sh start: unknown option $1" >&2; return 2 ;;
    esac
    shift
  done
  [ "$(id -u)" = 0 ] || { echo "local_cluster.sh: expected root, found $(id -un)" >&2; return 1; }
  command -v dpkg >/dev/null || { echo "local_cluster.sh: expected Debian or Ubuntu" >&2; return 1; }
  mkdir -p "$STATE" "$LOG" "$RUN" "$STATE/ctld" /etc/slurm
  chmod 0755 "$STATE" "$RUN"
  install_packages
  start_munge
  write_configuration
  [ "$ACCOUNTING" = 1 ] && start_accounting
  start_slurm
  sinfo -o '%P %a %D %t %c %m %G'
}

end() { # end NAME COMMAND
  local pid
  alive "$1" "$2" || { rm -f "$RUN/$1.pid"; return 0; }
  pid=$(cat "$RUN/$1.pid")
  kill -TERM "$pid"
  wait_for 10 bash -c "! [ -d /proc/$pid ]" 2>/dev/null || kill -KILL "$pid"
  rm -f "$RUN/$1.pid"
}

stop() {
  local file
  if alive slurmctld slurmctld; then
    scancel --user="$(id -un)" 2>/dev/null || true
    wait_for 15 bash -c '[ -z "$(squeue -h)" ]' 2>/dev/null || true
  fi
  for file in "$RUN"/slurmd-*.pid; do [ -e "$file" ] && end "$(basename "$file" .pid)" slurmd; done
  end slurmctld slurmctld
  end slurmdbd slurmdbd
  end mariadbd mariadbd
  end munged munged
  if [ "${1:-}" = --purge ]; then rm -rf "$STATE"; fi
}

case "${1:-}" in
  start) shift; start "$@" ;;
  stop) shift; stop "$@" ;;
  *) sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
