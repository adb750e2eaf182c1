#!/usr/bin/ruby
# Reads a status list token in CWT form as the draft says, with Debian's ruby-cose and ruby-cbor.
#   list_cwt.rb TOKEN STATUS.pem URI
#   STATUS.pem.kid has its kid in hex
# Prints the SHA-256 of the list, then "place status" for each place that is not VALID. Exit 1 where it refuses.
require "cose"
require "digest"
require "zlib"

def need(condition, why)
  abort "refused: #{why}" unless condition
end

token, key, uri = ARGV
# ruby-cose 1.2 cannot build keys under OpenSSL 3, but takes one of Ruby's own that says which kid it has.
public_key = OpenSSL::PKey.read(File.binread(key))
public_key.define_singleton_method(:kid) { [File.read("#{key}.kid")].pack("H*") }
begin
  message = COSE::Sign1.deserialize(File.binread(token))
  message.verify(public_key) or abort "refused: signature"
rescue COSE::Error, CBOR::MalformedFormatError => fault
  abort "refused: #{fault.class}: #{fault.message}"
end
need message.headers.alg == -7, "algorithm #{message.headers.alg}"
need message.protected_headers[16] == "application/statuslist+cwt", "type #{message.protected_headers[16]}"
claims = CBOR.decode(message.payload)
need claims[2] == uri, "subject #{claims[2]}"
need claims[6] <= Time.now.to_i + 300 && Time.now.to_i < claims[4], "not in force"
body = claims[65533]
need body["bits"] == 2, "#{body["bits"]} bits"
raw = Zlib::Inflate.inflate(body["lst"])
puts Digest::SHA256.hexdigest(raw)
raw.each_byte.with_index do |byte, at|
  next if byte == 0
  4.times { |k| puts "#{4 * at + k} #{byte >> 2 * k & 3}" if byte >> 2 * k & 3 != 0 }
end
