#!/bin/sh
# Installs meshc from a release: the program, its manual pages and completions, below one prefix.
#
#   install.sh [--from FOLDER|URL] [--to PREFIX]
#
#   --from   where the archives and SHA256SUMS are [default: the folder of this script]
#   --to     [default: ~/.local]
#
# Nothing is installed unless the checksum is right and the program runs.
set -eu

main() {
  from=$(dirname -- "$0")
  to=${HOME:-}/.local
  while [ $# -gt 0 ]; do
    case $1 in
      --from | --to) [ $# -gt 1 ] || refuse "$1 needs a value" "see the first lines of this script" ;;
      *) refuse "there is no option $1" "install.sh [--from FOLDER|URL] [--to PREFIX]" ;;
    esac
    case $1 in --from) from=$2 ;; --to) to=$2 ;; esac
    shift 2
  done
  target=$(platform)
  work=$(mktemp -d) || refuse "there is no place for temporary files" "set TMPDIR to a folder that can be written"
  trap 'rm -rf -- "$work"' EXIT
  trap 'exit 2' HUP INT TERM
  get "$from" SHA256SUMS
  name=$(awk -v target="-$target.tar.gz" 'index($2, "meshc-") == 1 && substr($2, length($2) - length(target) + 1) == target {
    print substr($2, 1, length($2) - 7) }' "$work/SHA256SUMS")
  [ -n "$name" ] || refuse "SHA256SUMS in $from knows no meshc for $target" "name the folder of a whole release with --from"
  get "$from" "$name.tar.gz"
  check "$name.tar.gz"
  tar -xzf "$work/$name.tar.gz" -C "$work" || refuse "$name.tar.gz cannot be unpacked" "get it again"
  "$work/$name/bin/meshc" --version >"$work/said" 2>&1 ||
    refuse "the program does not run here: $(cat "$work/said")" "compile it with Rust: cargo install --path . in a clone of the sources"
  place "$work/$name"
  echo "installed $(cat "$work/said") to $to/bin/meshc"
  case :$PATH: in *":$to/bin:"*) ;; *) echo "add $to/bin to PATH" ;; esac
}

platform() {
  machine=$(uname -s)-$(uname -m)
  case $machine in
    Linux-x86_64 | Linux-amd64) echo x86_64-unknown-linux-musl ;;
    Linux-aarch64 | Linux-arm64) echo aarch64-unknown-linux-musl ;;
    *) refuse "the release has no program for $machine: it has Linux on x86_64 and aarch64" \
      "compile it with Rust: cargo install --path . in a clone of the sources" ;;
  esac
}

# get FROM NAME: into the work folder
get() {
  case $1 in
    http://* | https://*)
      if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --output "$work/$2" "$1/$2" || unreachable "$1/$2"
      elif command -v wget >/dev/null; then
        wget -q -O "$work/$2" "$1/$2" || unreachable "$1/$2"
      else
        refuse "neither curl nor wget is there to get $1/$2" "get the release's files and name their folder with --from"
      fi
      ;;
    *)
      [ -f "$1/$2" ] || refuse "there is no $2 in $1" "name the folder of the release with --from"
      cp -- "$1/$2" "$work/$2"
      ;;
  esac
}

unreachable() {
  refuse "cannot get $1" "without a network: copy the release's files here and name their folder with --from"
}

check() {
  wanted=$(awk -v name="$1" '$2 == name { print $1 }' "$work/SHA256SUMS")
  found=$(sha256sum "$work/$1" | awk '{ print $1 }')
  [ "$wanted" = "$found" ] ||
    refuse "$1 is not what SHA256SUMS says: $found in place of $wanted" "do not use it; get both again from where you trust"
}

# place FOLDER: below the prefix. Everything is copied there first; then it takes its place, the program last.
place() {
  new=$to/.meshc-$$
  { mkdir -p -- "$to" && mkdir -- "$new"; } 2>/dev/null || unwritable "$to"
  trap 'rm -rf -- "$work" "$new"' EXIT
  cp -R -- "$1/bin" "$1/share" "$new" 2>/dev/null || unwritable "$to"
  folders=$(cd "$new" && find bin share -type d)
  files=$(cd "$new" && find share -type f)
  # Names in a release have no spaces.
  for folder in $folders; do
    mkdir -p -- "$to/$folder" 2>/dev/null && [ -w "$to/$folder" ] || unwritable "$to/$folder"
  done
  for file in $files bin/meshc; do
    mv -- "$new/$file" "$to/$file" 2>/dev/null || unwritable "$to/$file"
  done
}

unwritable() {
  refuse "$1 cannot be written" "choose another place with --to, for example --to /tmp/meshc"
}

refuse() {
  echo "error: $1" >&2
  echo "  = help: $2" >&2
  exit 2
}

main "$@"
