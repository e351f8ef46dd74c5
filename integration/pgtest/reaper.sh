# Waits for the end of the test process, then removes what it left: see reaper.go. The argument is the
# label of its containers. Lines of input: "directory PATH" for a throwaway server; "done" if nothing is
# left.
set -u
label=$1
directories=$(
  while IFS= read -r line; do
    case $line in
      done) exit 3 ;;
      'directory '*) printf '%s\n' "${line#directory }" ;;
    esac
  done
) || exit 0

remove_containers() {
  command -v docker >/dev/null 2>&1 || return 0
  for id in $(docker ps --all --quiet --filter "label=$label"); do
    docker rm --force --volumes "$id"
  done
}

remove_server() {
  pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) || pid=
  if [ -n "$pid" ]; then
    # Processes of a paused server must continue to receive the signal.
    children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
    kill -QUIT "$pid"
    # shellcheck disable=SC2086
    kill -CONT "$pid" $children
    tries=0
    while kill -0 "$pid" && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
    # shellcheck disable=SC2086
    kill -KILL "$pid" $children
  fi
  rm -rf "$1"
}

exec >/dev/null 2>&1
printf '%s\n' "$directories" | while IFS= read -r directory; do
  [ -z "$directory" ] || remove_server "$directory"
done
remove_containers
# A container whose creation had begun when the process ended appears a moment later.
sleep 3
remove_containers
