#!/usr/bin/env bash
# An identity is registered by a record that its own key has signed, and a forged one is refused.
set -euo pipefail
. "$CCCI_SH"

handle=ci-$(random_hex 4).test
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
  call POST "/$did" "${json[@]}" <<< "$1"
}
refused "a record that was changed after it was signed" 'signature|does not match' told "${record/"$handle"/"other-$handle"}"
told "$record" > /dev/null
remember did "$did"
remember handle "$handle"
echo "$did is registered as $handle, and no forged record of it"
