#!/bin/sh
# Writes certificates.ts beside it: a CA, a server and a client of that CA, and a client of another one, good from 2020 to 2120.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

touch index.txt
cat >ca.cnf <<'CONF'
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
[any]
commonName = supplied
CONF

# `openssl ca` is the one command that can set the first day, which must not depend on the clock of whoever runs the tests.
certify() { # name, extensions, further arguments
  name=$1
  printf '%s\n' "$2" >"$name.ext"
  shift 2
  openssl ca -batch -notext -config ca.cnf -startdate 20200101000000Z -enddate 21200101000000Z \
    -in "$name.csr" -extfile "$name.ext" -out "$name.crt" "$@" 2>/dev/null
}

request() { # name
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=Sparkwire test $1" \
    -keyout "$1.key" -out "$1.csr" 2>/dev/null
}

authority() { # name
  request "$1"
  certify "$1" "basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash" -selfsign -keyfile "$1.key"
}

signed() { # name, authority, extensions
  request "$1"
  certify "$1" "basicConstraints=CA:FALSE
keyUsage=digitalSignature
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
$3" -cert "$2.crt" -keyfile "$2.key"
}

constant() { # name, file, doc
  printf '\n/** %s */\nexport const %s = `%s\n`;\n' "$3" "$1" "$(cat "$2")"
}

authority ca
authority rogue_ca
signed server ca "extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,DNS:sparkwire.test,IP:127.0.0.1,IP:::1"
signed client ca "extendedKeyUsage=clientAuth"
signed rogue rogue_ca "extendedKeyUsage=clientAuth"

{
  printf '/**\n * Certificates and keys of the tests, made by certificates.sh; of no use elsewhere.\n *\n * @module\n */\n'
  constant CA_CERT ca.crt "Whom the tests trust."
  constant SERVER_CERT server.crt "For localhost, sparkwire.test, 127.0.0.1 and ::1, by the CA."
  constant SERVER_KEY server.key "The key of SERVER_CERT."
  constant CLIENT_CERT client.crt "A client, by the CA."
  constant CLIENT_KEY client.key "The key of CLIENT_CERT."
  constant ROGUE_CA_CERT rogue_ca.crt "Whom nobody trusts."
  constant ROGUE_CERT rogue.crt "A client, by the rogue CA."
  constant ROGUE_KEY rogue.key "The key of ROGUE_CERT."
} >"$here/certificates.ts"
