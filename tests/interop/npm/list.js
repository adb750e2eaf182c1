// Reads a status list token, CWT or JWT by its name, with libraries of the npm registry: signature by @auth0/cose or jose,
// list by @sd-jwt/jwt-status-list.
//   node list.js TOKEN STATUS.jwk URI
// Prints the SHA-256 of the list, then "place status" for each place that is not VALID. Exit 1 where it refuses.
const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { Sign1 } = require("@auth0/cose");
const { StatusList, getListFromStatusListJWT } = require("@sd-jwt/jwt-status-list");
const { decode } = require("cbor-x");
const { calculateJwkThumbprint, importJWK, jwtVerify } = require("jose");

const [path, keyPath, uri] = process.argv.slice(2);
const need = (condition, why) => {
	if (!condition) throw new Error(why);
};

async function cwt(data, key) {
	const message = Sign1.decode(data);
	await message.verify(key, { algorithms: [-7] });
	const type = message.protectedHeaders.get(16);
	need(type === "application/statuslist+cwt", `type ${type}`);
	const claims = decode(message.payload);
	need(claims[2] === uri, `subject ${claims[2]}`);
	need(claims[4] > Date.now() / 1000, "expired");
	const { bits, lst } = claims[65533];
	return StatusList.decompressStatusList(Buffer.from(lst).toString("base64url"), bits);
}

async function jwt(data, key, jwk) {
	const options = { typ: "statuslist+jwt", subject: uri, algorithms: ["ES256"], requiredClaims: ["exp", "iat"] };
	const { protectedHeader } = await jwtVerify(data, key, options);
	need(protectedHeader.kid === (await calculateJwkThumbprint(jwk)), "kid is not the thumbprint of the key");
	return getListFromStatusListJWT(data.toString());
}

async function main() {
	const jwk = JSON.parse(readFileSync(keyPath));
	const list = await (path.endsWith(".cwt") ? cwt : jwt)(readFileSync(path), await importJWK(jwk, "ES256"), jwk);
	need(list.getBitsPerStatus() === 2, `${list.getBitsPerStatus()} bits`);
	console.log(createHash("sha256").update(list.encodeStatusList()).digest("hex"));
	list.statusList.forEach((status, place) => status === 0 || console.log(`${place} ${status}`));
}

main().catch((fault) => {
	console.log(`refused: ${fault.name}: ${fault.message}`);
	process.exit(1);
});
