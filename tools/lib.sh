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

# What has failed is told at the end, where a look at the last lines finds it: a line "! NAME" for each, and behind it
# the first lines of its message as "!   TEXT".

# failed_of NAME: of the output of a test program or of busted, which is read.
failed_of() {
  LC_ALL=C awk -v name="$1" '
    function entry(text) { print "! " text; left = 8; label = "" }
    /^(FAILED|ERROR) tests\// { entry(substr($0, index($0, " ") + 1)); next }
    /^FAILED .*: busted ended/ { entry(substr($0, 8)); next }
    /^not ok / && !/# SKIP/ && !/ - tests$/ { sub(/^not ok [0-9]* - /, ""); entry(name ": " $0); next }
    /ERROR: (Address|Leak)Sanitizer|runtime error: |WARNING: ThreadSanitizer/ { entry(name ": " $0); next }
    /^ *$/ || /^ *\t|stack traceback:|^# not ok - tests/ { next }
    left > 0 && /^  (Passed in|Expected):$/ { label = substr($0, 3) " "; next }
    left > 0 && /^(  |# )/ {
      sub(/^(# | *)/, "")
      sub(/^tests\/support\/functional.lua:[0-9]+: /, "")
      print "!   " label $0
      label = ""
      left--
      next
    }
    { left = 0 }'
}

# failed_at_end NAME: what the output that is read tells so at its end; where it tells nothing, NAME and its last lines.
failed_at_end() {
  LC_ALL=C awk -v name="$1" '
    /^! / { if (!inside) block = ""; inside = 1; block = block $0 "\n"; next }
    { inside = 0 }
    /[^ ]/ { last[++count] = $0 }
    END {
      if (block) { printf "%s", block; exit }
      print "! " name
      for (i = count > 12 ? count - 11 : 1; i <= count; i++) print "!   " last[i]
    }'
}

# No more than the last screen of a log holds: of many failures each gets fewer lines, the names first of all.
failed_in_short() {
  LC_ALL=C awk '
    function cut(text) { text = substr(text, 1, 100); sub(/[\200-\377]+$/, "", text); return text }
    { lines[NR] = $0; if ($0 !~ /^!   /) names++ }
    END {
      most = names ? int(36 / names) : 0
      if (most > 12) most = 12
      for (i = 1; i <= NR; i++) {
        if (lines[i] !~ /^!   /) { of_this = 0; if (++told > 36) continue } else if (++of_this >= most) continue
        if (told <= 36) print cut(lines[i])
      }
      if (names > 36) print "! and " names - 36 " more"
    }'
}
