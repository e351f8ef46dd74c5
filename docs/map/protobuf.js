// Reads protocol buffers, as far as vector tiles need them: https://protobuf.dev/programming-guides/encoding/

// TileError says what is wrong with the bytes of a tile.
export class TileError extends Error {
  constructor(message) {
    super(message);
    this.name = "TileError";
  }
}

const varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5;
const safe = BigInt(Number.MAX_SAFE_INTEGER);
const text = new TextDecoder("utf-8", { fatal: true });

// asNumber returns a number if that is exact, else the BigInt.
const asNumber = (n) => (n >= -safe && n <= safe ? Number(n) : n);

// Reader reads the fields of one message. The methods that read a value check that the field has the value's wire type.
export class Reader {
  constructor(data, start = 0, end = data.length) {
    this.data = data;
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.at = start;
    this.end = end;
    this.wire = undefined; // of the field that is read
  }

  // fields calls read(number, this) for each field. A read that returns false leaves the field to be skipped.
  fields(read) {
    while (this.at < this.end) {
      const key = this.small();
      this.wire = key % 8;
      if (key < 8) this.fail("a field has number 0");
      if (!read(Math.floor(key / 8), this)) this.skip();
    }
  }

  skip() {
    switch (this.wire) {
      case varint: this.varint(); return;
      case fixed64: this.take(8); return;
      case bytes: this.take(this.length()); return;
      case fixed32: this.take(4); return;
      default: this.fail(`wire type ${this.wire}: want 0, 1, 2 or 5`);
    }
  }

  // integer reads an unsigned integer of 64 bits.
  integer() {
    this.expect(varint);
    return asNumber(this.varint());
  }

  // signed reads an integer of 64 bits in two's complement.
  signed() {
    this.expect(varint);
    return asNumber(BigInt.asIntN(64, this.varint()));
  }

  // zigzag reads an integer of 64 bits whose sign is the lowest bit.
  zigzag() {
    this.expect(varint);
    const n = this.varint();
    return asNumber(n & 1n ? -(n >> 1n) - 1n : n >> 1n);
  }

  // number reads an integer of 32 bits.
  number() {
    const n = this.integer();
    if (!(n <= 0xffffffff)) this.fail(`${n} does not fit into 32 bits`);
    return n;
  }

  float() {
    this.expect(fixed32);
    return this.view.getFloat32(this.take(4), true);
  }

  double() {
    this.expect(fixed64);
    return this.view.getFloat64(this.take(8), true);
  }

  string() {
    this.expect(bytes);
    const length = this.length(), start = this.take(length);
    try {
      return text.decode(this.data.subarray(start, start + length));
    } catch {
      return this.fail("a text is not UTF-8");
    }
  }

  // message returns a reader of the message in this field.
  message() {
    this.expect(bytes);
    const length = this.length(), start = this.take(length);
    return new Reader(this.data, start, start + length);
  }

  // packed appends integers of 32 bits to a list: many in one field, or one in a field of its own.
  packed(list) {
    if (this.wire === varint) {
      list.push(this.number());
      return;
    }
    const inner = this.message();
    while (inner.at < inner.end) list.push(inner.small());
  }

  // small reads an integer of 32 bits without BigInt, which is what a tile has most of.
  small() {
    const start = this.at;
    let n = 0, factor = 1;
    for (let i = 0; i < 5; i++, factor *= 128) {
      const byte = this.data[this.take(1)];
      n += (byte & 127) * factor;
      if (byte < 128) {
        if (n > 0xffffffff) break;
        return n;
      }
    }
    this.at = start;
    return this.fail("an integer does not fit into 32 bits");
  }

  // varint reads an integer of 64 bits: seven bits a byte, the lowest first.
  varint() {
    let n = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.data[this.take(1)];
      n |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        if (n >> 64n) break;
        return n;
      }
    }
    return this.fail("an integer does not fit into 64 bits");
  }

  // length reads the length of a text or a message.
  length() {
    const n = this.small();
    if (n > this.end - this.at) this.fail(`${n} bytes announced, ${this.end - this.at} left`);
    return n;
  }

  // take moves on by so many bytes, and returns where they begin.
  take(count) {
    if (count > this.end - this.at) this.fail("the tile ends in the middle of a value");
    const start = this.at;
    this.at += count;
    return start;
  }

  expect(wire) {
    if (this.wire !== wire) this.fail(`wire type ${this.wire}: want ${wire}`);
  }

  fail(message) {
    throw new TileError(`byte ${this.at}: ${message}`);
  }
}
