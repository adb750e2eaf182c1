// Reads what an SM2 authority signed with sm-crypto-v2 and cbor-x alone: manifest, records, head, checkpoint line, JWS.
//   node sm2.js FOLDER ROOT.pub REQUEST.jws QR.txt...      FOLDER holds manifest.cose, status/, log/
// The ID is 1234567812345678; with another, or with none, each signature must fail. Prints what it verified. Exit 1 where it
// refuses.
const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { Encoder } = require("cbor-x");
const { sm2, sm3 } = require("sm-crypto-v2");

const ID = "1234567812345678";
const [folder, rootPath, jwsPath, ...qrs] = process.argv.slice(2);
const need = (condition, why) => {
	if (!condition) throw new Error(why);
};
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const maps = new Encoder({ mapsAsObjects: false, tagUint8Array: false, useRecords: false });

// x‖y: the last 64 bytes of the SubjectPublicKeyInfo
const spki = (path) => Buffer.from(readFileSync(path, "utf8").replace(/-----[^-]*-----|\s/g, ""), "base64").subarray(-64);

function verify(message, signature, point) {
	const check = (id) => {
		const options = { der: false, hash: true, userId: id };
		return sm2.doVerifySignature(new Uint8Array(message), hex(signature), `04${hex(point)}`, options);
	};
	need(check(ID), "the signature does not verify");
	need(!check("1234567812345679") && !check(""), "the signature verifies with another ID");
}

// The bytes of a COSE_Key in the order of RFC 9679, by hand: {1: 2, -1: -65837, -2: x, -3: y}
const coseKey = (point) =>
	Buffer.concat([Buffer.from("a40102203a0001012c215820", "hex"), point.subarray(0, 32), Buffer.from("225820", "hex"), point.subarray(32)]);
const kid = (point) => sm3(new Uint8Array(coseKey(point))).slice(0, 16);

function bstr(bytes) {
	const n = bytes.length;
	const head = n < 24 ? [0x40 + n] : n < 256 ? [0x58, n] : [0x59, n >> 8, n & 255];
	return Buffer.concat([Buffer.from(head), bytes]);
}

// A COSE_Sign1 under the key that `keys` has for its kid; gives the payload.
function sign1(data, type, keys) {
	const [protectedHeader, unprotected, payload, signature] = maps.decode(data).value;
	const header = maps.decode(protectedHeader);
	const point = keys.get(hex(header.get(4)));
	need(unprotected.size === 0, "something is not protected");
	need(header.get(1) === -66037 && header.get(16) === type, "another algorithm or type");
	need(point !== undefined, `no key for ${type}`);
	const structure = [Buffer.from("846a5369676e617475726531", "hex"), bstr(protectedHeader), bstr(Buffer.alloc(0)), bstr(payload)];
	verify(Buffer.concat(structure), signature, point);
	return maps.decode(payload);
}

function base45(text) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
	const out = [];
	for (let i = 0; i < text.length; i += 3) {
		const v = [...text.slice(i, i + 3)].reduce((sum, c, at) => sum + digits.indexOf(c) * 45 ** at, 0);
		out.push(...(text.length - i >= 3 ? [v >> 8, v & 255] : [v]));
	}
	return Buffer.from(out);
}

// The line of type FF beside that of Ed25519: key id from FF, "SM2-SM3" and the point.
function checkpoint(note, origin, point) {
	const at = note.lastIndexOf("\n\n");
	const text = note.slice(0, at + 1);
	const typed = Buffer.concat([Buffer.from(`${origin}\n\xffSM2-SM3`, "latin1"), point]);
	const id = createHash("sha256").update(typed).digest().subarray(0, 4);
	const blobs = note.slice(at + 2).split("\n").map((line) => Buffer.from(line.split(" ")[2] ?? "", "base64"));
	const ours = blobs.filter((blob) => blob.subarray(0, 4).equals(id));
	need(ours.length === 1, `${ours.length} lines of the SM2 log key`);
	verify(Buffer.from(text), ours[0].subarray(4), point);
}

function jws(text) {
	const [header, payload, signature] = text.trim().split(".");
	const { alg, kid: name } = JSON.parse(Buffer.from(header, "base64url"));
	need(alg === "SM2SM3", `algorithm ${alg}`);
	return { input: `${header}.${payload}`, name, payload, signature: Buffer.from(signature, "base64url") };
}

const thumbprint = (jwk) =>
	createHash("sha256").update(`{"crv":"${jwk.crv}","kty":"${jwk.kty}","x":"${jwk.x}","y":"${jwk.y}"}`).digest("base64url");

function main() {
	const root = spki(rootPath);
	const roots = new Map([[kid(root), root]]);
	const manifest = sign1(readFileSync(`${folder}/manifest.cose`), "application/zz-manifest+cwt", roots).get(-65540);
	const byPurpose = { record: new Map(), status: new Map(), log: new Map(), crl: new Map() };
	for (const [id, key, purpose] of manifest.get(4)) {
		if (key.get(-1) !== -65837) continue;
		const point = Buffer.concat([key.get(-2), key.get(-3)]);
		need(hex(id) === kid(point), "a kid is not the thumbprint by SM3");
		byPurpose[purpose].set(hex(id), point);
	}
	console.log(`manifest ${manifest.get(1)}: ${Object.values(byPurpose).map((keys) => keys.size).join(" ")} SM2 keys`);
	for (const path of qrs) {
		const text = readFileSync(path, "utf8").trim();
		need(text.startsWith("ZZ1:"), "no record");
		sign1(base45(text.slice(4)), "application/zz-record+cwt", byPurpose.record);
	}
	console.log(`${qrs.length} records`);
	const head = sign1(readFileSync(`${folder}/status/head-sm2.cwt`), "application/zz-head+cwt", byPurpose.status);
	console.log(`head ${head.get(-65539).get(1)}`);
	checkpoint(readFileSync(`${folder}/log/checkpoint`, "utf8"), manifest.get(5), [...byPurpose.log.values()][0]);
	console.log("checkpoint");
	const roster = jws(readFileSync(`${folder}/roster.jws`, "utf8"));
	verify(Buffer.from(roster.input), roster.signature, root);
	const { operators } = JSON.parse(Buffer.from(roster.payload, "base64url"));
	console.log(`roster: ${operators.length} operators`);
	const request = jws(readFileSync(jwsPath, "utf8"));
	const { jwk } = operators.find((o) => o.kid === request.name);
	need(thumbprint(jwk) === request.name && jwk.crv === "SM2", "the kid is not that of the key");
	verify(Buffer.from(request.input), request.signature, Buffer.concat([Buffer.from(jwk.x, "base64url"), Buffer.from(jwk.y, "base64url")]));
	console.log("request");
}

try {
	main();
} catch (fault) {
	console.log(`refused: ${fault.message}`);
	process.exit(1);
}
