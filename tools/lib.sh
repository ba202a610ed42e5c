# Shared by the scripts in tools/ and .ci/: sourced, never run. Leaves the working directory alone.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }

jobs_at_once() { nproc 2>/dev/null || echo 2; }

# build DIRECTORY TARGET [CMAKE OPTION…]: configures on the first call, then builds. Quiet unless
# a terminal watches or something fails.
build() {
  build_dir=$1 build_target=$2
  shift 2
  mkdir -p "$build_dir"
  generator=
  if [ ! -f "$build_dir/CMakeCache.txt" ] && command -v ninja >/dev/null; then generator=Ninja; fi
  build_log=$build_dir/build.log
  if ! cmake -S "$root" -B "$build_dir" ${generator:+-G "$generator"} "$@" >"$build_log" 2>&1; then
    cat "$build_log" >&2
    die "cmake couldn't configure $build_dir"
  fi
  if [ -t 2 ]; then
    cmake --build "$build_dir" --target "$build_target" -j "$(jobs_at_once)" >&2 || die 'the build failed'
  elif ! cmake --build "$build_dir" --target "$build_target" -j "$(jobs_at_once)" >"$build_log" 2>&1; then
    cat "$build_log" >&2
    die 'the build failed'
  fi
}
