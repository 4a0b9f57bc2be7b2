#!/usr/bin/env bash
# An identity is registered by a record that its own key has signed, and a forged one is refused.
set -euo pipefail

handle=ci-$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n').test
# The image has the library that makes and signs such records.
made=$("$CCCI_EXEC" app -- node --input-type=module -e '
  import * as library from "@did-plc/lib";
  import * as keys from "@atproto/crypto";
  const { createOp } = library.createOp ? library : library.default;
  const { Secp256k1Keypair } = keys.Secp256k1Keypair ? keys : keys.default;
  const signer = await Secp256k1Keypair.create(), key = signer.did();
  const { did, op } = await createOp({ signingKey: key, rotationKeys: [key], handle: process.argv[1],
    pds: "https://pds.example.org", signer });
  console.log(did);
  console.log(JSON.stringify(op));' "$handle")
did=${made%%$'\n'*}
record=${made#*$'\n'}

# told JSON: what the directory says to a record of this identity.
told() {
  curl -sS --fail-with-body --max-time 20 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} \
    --header 'Content-Type: application/json' --data-binary "$1" "$CCCI_URL/$did"
}
if said=$(told "${record/"$handle"/"other-$handle"}"); then
  echo "a record that was changed after it was signed is taken: $said" >&2
  exit 1
fi
grep -qi 'signature\|does not match' <<< "$said" || { echo "the forged record is refused with ${said:0:300}" >&2; exit 1; }
told "$record" > /dev/null
printf 'did=%s\nhandle=%s\n' "$did" "$handle" >> "$CCCI_WORK/variables"
echo "$did is registered as $handle, and no forged record of it"
