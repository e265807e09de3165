/**
 * Writes values as CBOR: primitives, plain objects, arrays and byte strings; the rest is in `_cbor_encode_builtin.ts`.
 *
 * One pass, straight into the caller's buffer. Every item is the shortest that RFC 8949 has for it, of definite length.
 *
 * @module
 */

import { ByteSink } from "../base/bytes.ts";
import { SerializerError, toError } from "../base/errors.ts";
import { writeBigint, writeInstance, writeSparseArray, writeTypedMessage } from "./_cbor_encode_builtin.ts";
import { Initial, Major, MAX_DEPTH, MAX_HOLES, PREFIX } from "./_cbor_format.ts";
import { SharedValues } from "./_cbor_shared_values.ts";
import { wtf8Length, writeWtf8 } from "./_cbor_text.ts";
import { writeFloat } from "./_cbor_float.ts";
import { pathText } from "./_cbor_path.ts";
import { type SerializerContext, TypedMessage } from "./serializer.ts";
import { Tag } from "./_cbor_format.ts";
