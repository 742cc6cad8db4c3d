#!/usr/bin/env bash
# Makes dist/wsm_VERSION_ARCHITECTURE.deb from the programs and man pages in dist/, which
# scripts/release.sh puts there. Usage: scripts/package.sh
set -euo pipefail
cd "$(dirname "$0")/.."

programs=(wsm-server wsm-apply wsm-feed)
for program in "${programs[@]}"; do
    [[ -x dist/$program ]] || { echo "package: dist/$program is missing: make release" >&2; exit 1; }
done
for tool in dpkg-deb dpkg-shlibdeps; do
    command -v "$tool" >/dev/null || { echo "package: $tool is missing: install dpkg-dev" >&2; exit 1; }
done

version=$(sed -nE 's/.*text = "([^"]+)".*/\1/p' Sources/Spec/Version.swift)
architecture=$(dpkg --print-architecture)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
tree=$root/tree

for program in "${programs[@]}"; do install -D -m 755 "dist/$program" "$tree/usr/bin/$program"; done
for page in dist/man/man?/*.gz; do install -D -m 644 "$page" "$tree/usr/share/${page#dist/}"; done
# A host program can say its own completions; this one runs here since it was built here.
completions=("bash bash-completion/completions/wsm-apply" "zsh zsh/vendor-completions/_wsm-apply"
    "fish fish/vendor_completions.d/wsm-apply.fish")
for entry in "${completions[@]}"; do
    file=$tree/usr/share/${entry#* }
    mkdir -p "$(dirname "$file")"
    dist/wsm-apply completion "${entry%% *}" >"$file"
    chmod 644 "$file"
done
install -D -m 644 packaging/wsm-server.service "$tree/usr/lib/systemd/system/wsm-server.service"
install -D -m 644 packaging/server.yaml "$tree/etc/wsm/server.yaml"
install -D -m 644 LICENSE "$tree/usr/share/doc/wsm/copyright"
for example in $(git ls-files examples | grep -E '\.(yaml|md)$'); do
    install -D -m 644 "$example" "$tree/usr/share/doc/wsm/$example"
done

# The libraries that the programs are linked with, by the names of their packages.
mkdir -p "$root/debian" "$tree/DEBIAN"
echo "Source: wsm" >"$root/debian/control"
depends=$(cd "$root" && dpkg-shlibdeps -O --ignore-missing-info tree/usr/bin/* 2>/dev/null \
    | sed -n 's/^shlibs:Depends=//p')
size=$(du -sk --apparent-size "$tree" | cut -f1)
sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$size/" \
    -e "s/@DEPENDS@/$depends/" packaging/debian/control.in >"$tree/DEBIAN/control"
install -m 644 packaging/debian/conffiles "$tree/DEBIAN/conffiles"
install -m 755 packaging/debian/{postinst,prerm,postrm} "$tree/DEBIAN/"
(cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)

dpkg-deb --root-owner-group --build "$tree" "dist/wsm_${version}_$architecture.deb"
