-- 0001_tables.sql - the tables of schema zz. Run as zz_owner in a database that it owns (zz-admin migrate, psql -1).
-- Times are UTC seconds, days count from 1970-01-01. Triggers stand in 0002, privileges in 0003.

CREATE SCHEMA zz;
COMMENT ON SCHEMA zz IS 'Certificates, the requests that caused them, and the log that decides what is valid';

CREATE TABLE zz.schema_migration (
	version int PRIMARY KEY CHECK (version > 0),
	name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
	sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
	applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE zz.schema_migration IS 'Migrations applied, one row a file';
COMMENT ON COLUMN zz.schema_migration.version IS 'Number of the file: 1, 2, 3, no gap';
COMMENT ON COLUMN zz.schema_migration.name IS 'Name of the file';
COMMENT ON COLUMN zz.schema_migration.sha256 IS 'SHA-256 of the file as applied: an edited file is refused';
COMMENT ON COLUMN zz.schema_migration.applied_at IS 'When it was applied';

CREATE TABLE zz.log_head (
	id smallint PRIMARY KEY CHECK (id = 1),
	size bigint NOT NULL CHECK (size >= 0),
	time bigint NOT NULL CHECK (time >= 0)
);
COMMENT ON TABLE zz.log_head IS 'The one head of the log; its row lock serialises all writers';
COMMENT ON COLUMN zz.log_head.id IS 'Always 1';
COMMENT ON COLUMN zz.log_head.size IS 'Number of committed entries; only rises';
COMMENT ON COLUMN zz.log_head.time IS 'Newest time of an entry, UTC seconds; never falls';
INSERT INTO zz.log_head (id, size, time) VALUES (1, 0, 0);

CREATE TABLE zz.log_entry (
	idx bigint PRIMARY KEY CHECK (idx >= 0),
	batch bigint NOT NULL CHECK (batch >= 0),
	entry bytea NOT NULL CHECK (octet_length(entry) BETWEEN 1 AND 65535),
	note bytea NOT NULL CHECK (octet_length(note) <= 512),
	tag bytea NOT NULL CHECK (octet_length(tag) = 16),
	CHECK (batch <= idx)
);
COMMENT ON TABLE zz.log_entry IS 'Entries of the log, gapless from 0';
COMMENT ON COLUMN zz.log_entry.idx IS 'Index in the log';
COMMENT ON COLUMN zz.log_entry.batch IS 'Size of the log before the transaction of this entry: whole batches are sent to the signer';
COMMENT ON COLUMN zz.log_entry.entry IS 'The entry (CBOR array): the leaf of the tree';
COMMENT ON COLUMN zz.log_entry.note IS 'Private note of the signer beside the entry; not part of the leaf';
COMMENT ON COLUMN zz.log_entry.tag IS 'The signer''s tag over entry and note';

CREATE TABLE zz.request (
	id bytea PRIMARY KEY CHECK (octet_length(id) = 32),
	kid text NOT NULL CHECK (length(kid) = 43),
	jti text NOT NULL CHECK (length(jti) BETWEEN 22 AND 64),
	type text NOT NULL CHECK (type IN
		('issue', 'revoke', 'suspend', 'reinstate', 'replace', 'stop', 'resume', 'withdraw')),
	center text NOT NULL CHECK (length(center) <= 64),
	sender text NOT NULL CHECK (length(sender) BETWEEN 1 AND 200),
	session text NOT NULL CHECK (length(session) <= 200),
	jws bytea NOT NULL CHECK (octet_length(jws) BETWEEN 1 AND 6291456),
	exp bigint NOT NULL CHECK (exp > 0),
	received_at bigint NOT NULL CHECK (received_at > 0),
	UNIQUE (kid, jti)
);
-- a signed text hardly compresses: trying costs more than it saves
ALTER TABLE zz.request ALTER COLUMN jws SET STORAGE EXTERNAL;
COMMENT ON TABLE zz.request IS 'Every request with a valid signature, the refused ones too: the evidence';
COMMENT ON COLUMN zz.request.id IS 'SHA-256 over the JWS signing input';
COMMENT ON COLUMN zz.request.kid IS 'Thumbprint of the key that signed';
COMMENT ON COLUMN zz.request.jti IS 'The sender''s own number; unique a kid, over requests and approvals';
COMMENT ON COLUMN zz.request.type IS 'Type of the request';
COMMENT ON COLUMN zz.request.center IS 'Code of the centre that sent it; empty for an official';
COMMENT ON COLUMN zz.request.sender IS 'Person of the key, by the roster of that moment';
COMMENT ON COLUMN zz.request.session IS 'Id of the examination session; empty for orders';
COMMENT ON COLUMN zz.request.jws IS 'The signed bytes as received';
COMMENT ON COLUMN zz.request.exp IS 'End of its validity, UTC seconds';
COMMENT ON COLUMN zz.request.received_at IS 'When it arrived, UTC seconds';

CREATE TABLE zz.request_event (
	request bytea NOT NULL REFERENCES zz.request (id),
	seq int NOT NULL CHECK (seq > 0),
	state text NOT NULL CHECK (state IN
		('waiting', 'executed', 'refused', 'lapsed', 'rejected', 'withdrawn')),
	code text NOT NULL CHECK (length(code) <= 64),
	at bigint NOT NULL CHECK (at > 0),
	seat int[] NOT NULL,
	outcome smallint[] NOT NULL,
	PRIMARY KEY (request, seq),
	CHECK (cardinality(seat) = cardinality(outcome))
);
CREATE INDEX request_event_waiting ON zz.request_event (at) WHERE state = 'waiting';
COMMENT ON TABLE zz.request_event IS 'What became of a request; the newest row is its state';
COMMENT ON COLUMN zz.request_event.request IS 'The request';
COMMENT ON COLUMN zz.request_event.seq IS '1, 2, 3';
COMMENT ON COLUMN zz.request_event.state IS 'The state from here on';
COMMENT ON COLUMN zz.request_event.code IS 'Word of the error that refused it, or empty';
COMMENT ON COLUMN zz.request_event.at IS 'When, UTC seconds';
COMMENT ON COLUMN zz.request_event.seat IS 'Seats (issue) or positions of serials (orders) without a new certificate or change';
COMMENT ON COLUMN zz.request_event.outcome IS 'The reason for each of them, by the table of outcomes';

CREATE TABLE zz.approval (
	request bytea NOT NULL REFERENCES zz.request (id),
	kid text NOT NULL CHECK (length(kid) = 43),
	jti text NOT NULL CHECK (length(jti) BETWEEN 22 AND 64),
	person text NOT NULL CHECK (length(person) BETWEEN 1 AND 200),
	jws bytea NOT NULL CHECK (octet_length(jws) BETWEEN 1 AND 8192),
	approve boolean NOT NULL,
	exp bigint NOT NULL CHECK (exp > 0),
	received_at bigint NOT NULL CHECK (received_at > 0),
	PRIMARY KEY (request, kid),
	UNIQUE (request, person),
	UNIQUE (kid, jti)
);
COMMENT ON TABLE zz.approval IS 'Approvals and rejections of requests, each by another person and key';
COMMENT ON COLUMN zz.approval.request IS 'The request approved or rejected';
COMMENT ON COLUMN zz.approval.kid IS 'Thumbprint of the official''s key';
COMMENT ON COLUMN zz.approval.jti IS 'The official''s own number; unique a kid, over requests and approvals';
COMMENT ON COLUMN zz.approval.person IS 'Person of the key, by the roster of that moment';
COMMENT ON COLUMN zz.approval.jws IS 'The signed bytes as received';
COMMENT ON COLUMN zz.approval.approve IS 'True: approved; false: rejected';
COMMENT ON COLUMN zz.approval.exp IS 'End of its validity, UTC seconds';
COMMENT ON COLUMN zz.approval.received_at IS 'When it arrived, UTC seconds';

CREATE TABLE zz.certificate (
	idx bigint PRIMARY KEY CHECK (idx >= 0),
	serial bytea NOT NULL UNIQUE CHECK (octet_length(serial) = 16),
	request bytea NOT NULL CHECK (octet_length(request) = 32),
	seat int NOT NULL CHECK (seat >= 0),
	holder_key bytea NOT NULL CHECK (octet_length(holder_key) = 32),
	item text NOT NULL CHECK (length(item) BETWEEN 1 AND 6),
	center text NOT NULL CHECK (length(center) BETWEEN 1 AND 64),
	list int NOT NULL CHECK (list >= 0),
	list_idx int NOT NULL CHECK (list_idx BETWEEN 0 AND 1048575),
	status smallint NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 3),
	exp bigint NOT NULL CHECK (exp > 0),
	record bytea NOT NULL CHECK (octet_length(record) BETWEEN 1 AND 1024),
	UNIQUE (list, list_idx)
);
CREATE INDEX certificate_holder ON zz.certificate (holder_key);
CREATE INDEX certificate_request ON zz.certificate (request);
COMMENT ON TABLE zz.certificate IS 'Certificates: one a log entry of type 1';
COMMENT ON COLUMN zz.certificate.idx IS 'Index of its entry in the log';
COMMENT ON COLUMN zz.certificate.serial IS 'Serial number (cti)';
COMMENT ON COLUMN zz.certificate.request IS 'Hash of the request that caused it; its row may be lost after a recovery';
COMMENT ON COLUMN zz.certificate.seat IS 'Seat of the session';
COMMENT ON COLUMN zz.certificate.holder_key IS 'HMAC of document type and number under the pepper';
COMMENT ON COLUMN zz.certificate.item IS 'Operation item, 6 digits';
COMMENT ON COLUMN zz.certificate.center IS 'Code of the centre';
COMMENT ON COLUMN zz.certificate.list IS 'Number of the status list';
COMMENT ON COLUMN zz.certificate.list_idx IS 'Place on the status list';
COMMENT ON COLUMN zz.certificate.status IS '0 valid, 1 invalid, 2 suspended, 3 superseded; follows from certificate_event';
COMMENT ON COLUMN zz.certificate.exp IS 'The second after its last day, UTC seconds';
COMMENT ON COLUMN zz.certificate.record IS 'The signed record';

CREATE TABLE zz.certificate_event (
	idx bigint PRIMARY KEY CHECK (idx >= 0),
	serial bytea NOT NULL REFERENCES zz.certificate (serial),
	status smallint NOT NULL CHECK (status BETWEEN 0 AND 3),
	reason smallint CHECK (reason IN (4, 5, 6, 9)),
	effective int NOT NULL,
	until bigint CHECK (until > 0),
	at bigint NOT NULL CHECK (at > 0),
	request bytea NOT NULL CHECK (octet_length(request) = 32)
);
CREATE INDEX certificate_event_serial ON zz.certificate_event (serial, idx);
CREATE INDEX certificate_event_request ON zz.certificate_event (request, idx);
COMMENT ON TABLE zz.certificate_event IS 'Changes of status: one a log entry of type 2';
COMMENT ON COLUMN zz.certificate_event.idx IS 'Index of its entry in the log';
COMMENT ON COLUMN zz.certificate_event.serial IS 'The certificate';
COMMENT ON COLUMN zz.certificate_event.status IS 'The status from here on';
COMMENT ON COLUMN zz.certificate_event.reason IS 'CRL reason, or null';
COMMENT ON COLUMN zz.certificate_event.effective IS 'Day from which it counts, days since 1970-01-01';
COMMENT ON COLUMN zz.certificate_event.until IS 'End of a suspension, UTC seconds, or null';
COMMENT ON COLUMN zz.certificate_event.at IS 'Time of the entry, UTC seconds';
COMMENT ON COLUMN zz.certificate_event.request IS 'Hash of the request that caused it';

CREATE TABLE zz.log_pending (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	entry bytea NOT NULL CHECK (octet_length(entry) BETWEEN 1 AND 65535),
	note bytea NOT NULL CHECK (octet_length(note) <= 512),
	tag bytea NOT NULL UNIQUE CHECK (octet_length(tag) = 16),
	created_at bigint NOT NULL CHECK (created_at > 0)
);
COMMENT ON TABLE zz.log_pending IS 'Entries of types 0 and 3 to 7 that wait to be appended by issuerd';
COMMENT ON COLUMN zz.log_pending.id IS 'Order of arrival; gaps are possible';
COMMENT ON COLUMN zz.log_pending.entry IS 'The entry';
COMMENT ON COLUMN zz.log_pending.note IS 'The signer''s private note';
COMMENT ON COLUMN zz.log_pending.tag IS 'The signer''s tag: the same entry is inserted once';
COMMENT ON COLUMN zz.log_pending.created_at IS 'When, UTC seconds';

CREATE TABLE zz.log_pending_done (
	pending bigint PRIMARY KEY REFERENCES zz.log_pending (id),
	idx bigint NOT NULL UNIQUE REFERENCES zz.log_entry (idx)
);
COMMENT ON TABLE zz.log_pending_done IS 'Pending entries that were appended';
COMMENT ON COLUMN zz.log_pending_done.pending IS 'The pending entry';
COMMENT ON COLUMN zz.log_pending_done.idx IS 'Its index in the log';

CREATE TABLE zz.log_pending_void (
	pending bigint PRIMARY KEY REFERENCES zz.log_pending (id),
	why text NOT NULL CHECK (length(why) BETWEEN 1 AND 64)
);
COMMENT ON TABLE zz.log_pending_void IS 'Pending entries that will never be appended: their maker asks again';
COMMENT ON COLUMN zz.log_pending_void.pending IS 'The pending entry';
COMMENT ON COLUMN zz.log_pending_void.why IS 'Word of the error that voided it';

CREATE TABLE zz.publication (
	list int NOT NULL CHECK (list >= 0),
	sequence bigint NOT NULL CHECK (sequence > 0),
	cwt bytea NOT NULL CHECK (octet_length(cwt) BETWEEN 1 AND 1048576),
	jwt bytea NOT NULL CHECK (octet_length(jwt) BETWEEN 1 AND 1048576),
	pending bigint NOT NULL UNIQUE REFERENCES zz.log_pending (id),
	created_at bigint NOT NULL CHECK (created_at > 0),
	PRIMARY KEY (list, sequence)
);
-- deflated and signed: it does not compress again
ALTER TABLE zz.publication ALTER COLUMN cwt SET STORAGE EXTERNAL;
ALTER TABLE zz.publication ALTER COLUMN jwt SET STORAGE EXTERNAL;
COMMENT ON TABLE zz.publication IS 'Tokens of the status lists; files are written only from here';
COMMENT ON COLUMN zz.publication.list IS 'Number of the status list';
COMMENT ON COLUMN zz.publication.sequence IS 'Version of the list: UTC seconds, strictly rising';
COMMENT ON COLUMN zz.publication.cwt IS 'The token as CWT';
COMMENT ON COLUMN zz.publication.jwt IS 'The token as JWT';
COMMENT ON COLUMN zz.publication.pending IS 'Its entry 3, which is appended before files are written';
COMMENT ON COLUMN zz.publication.created_at IS 'When, UTC seconds';

CREATE TABLE zz.manifest (
	version bigint PRIMARY KEY CHECK (version > 0),
	message bytea NOT NULL CHECK (octet_length(message) BETWEEN 1 AND 16384),
	sha256 bytea NOT NULL CHECK (sha256 = sha256(message)),
	created_at bigint NOT NULL CHECK (created_at > 0)
);
COMMENT ON TABLE zz.manifest IS 'Manifests of keys, signed by the root';
COMMENT ON COLUMN zz.manifest.version IS 'Version; the highest is in force once its entry 4 is appended';
COMMENT ON COLUMN zz.manifest.message IS 'The COSE message';
COMMENT ON COLUMN zz.manifest.sha256 IS 'SHA-256 of the message';
COMMENT ON COLUMN zz.manifest.created_at IS 'When, UTC seconds';

CREATE TABLE zz.roster (
	version bigint PRIMARY KEY CHECK (version > 0),
	jws bytea NOT NULL CHECK (octet_length(jws) BETWEEN 1 AND 4194304),
	sha256 bytea NOT NULL CHECK (sha256 = sha256(jws)),
	created_at bigint NOT NULL CHECK (created_at > 0)
);
COMMENT ON TABLE zz.roster IS 'Rosters of operators, signed by the root';
COMMENT ON COLUMN zz.roster.version IS 'Version; the highest is in force once its entry 5 is appended';
COMMENT ON COLUMN zz.roster.jws IS 'The JWS text';
COMMENT ON COLUMN zz.roster.sha256 IS 'SHA-256 of the JWS text';
COMMENT ON COLUMN zz.roster.created_at IS 'When, UTC seconds';
