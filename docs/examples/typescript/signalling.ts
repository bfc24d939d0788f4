// The core of a signalling service on gRPC's stock stubs, and a short story played with it.
//
// Needs @grpc/grpc-js, @grpc/proto-loader and protobufjs; the stubs are made from crates/stoa-api/proto as it starts.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import protobuf from "protobufjs";

const CALL_MS = 5_000;
// A connection on which nothing comes back is noticed after a while, not never.
const OPTIONS = { "grpc.enable_http_proxy": 0, "grpc.keepalive_time_ms": 20_000 };
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

// What this service reads of answers and events; docs/api.md has all of it.
interface JoinResponse {
  sdp_answer: string;
  resume_token: string;
}
interface RoomEvent {
  event: string;
  participant_updated?: { changed: { paths: string[] } };
}
interface WatchRoomsResponse {
  event: string;
  revision: string;
  room_event?: { event: RoomEvent };
}
type Unary = (
  request: object,
  options: grpc.CallOptions,
  done: (error: grpc.ServiceError | null, answer: unknown) => void,
) => void;

// The part of google.rpc by which an error says why (google/rpc/status.proto, error_details.proto).
const DETAILS = protobuf.parse(
  `
  syntax = "proto3";
  package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; }
`,
  { keepCase: true },
).root;
const Status = DETAILS.lookupType("google.rpc.Status");
const ErrorInfo = DETAILS.lookupType("google.rpc.ErrorInfo");

function isServiceError(error: unknown): error is grpc.ServiceError {
  return error instanceof Error && "code" in error && "metadata" in error;
}

/** Says why a call failed, as a name of `ErrorReason`; empty where the node did not say it. */
export function reason(error: grpc.ServiceError): string {
  const [encoded] = error.metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(encoded)) return "";
  const status = Status.toObject(Status.decode(encoded), { arrays: true }) as {
    details: { type_url: string; value: Uint8Array }[];
  };
  const info = status.details.find((detail) => detail.type_url.endsWith("/google.rpc.ErrorInfo"));
  return info ? (ErrorInfo.toObject(ErrorInfo.decode(info.value)) as { reason: string }).reason : "";
}

/** One node, as a signalling service sees it. */
export class Signalling {
  readonly #rooms: grpc.Client & Record<string, unknown>;
  #revision = "0";

  constructor(node: string, protos: string, caPem: Buffer, apiKey: string) {
    const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true, includeDirs: [protos] };
    const definition = loadSync("stoa/control/v1/rooms.proto", options);
    const service = definition["stoa.control.v1.Rooms"] as grpc.ServiceDefinition;
    const key = grpc.credentials.createFromMetadataGenerator((_, done) => {
      const metadata = new grpc.Metadata();
      metadata.set("authorization", `Bearer ${apiKey}`);
      done(null, metadata);
    });
    const both = grpc.credentials.combineChannelCredentials(grpc.credentials.createSsl(caPem), key);
    const Rooms = grpc.makeClientConstructor(service, "Rooms");
    this.#rooms = new Rooms(node, both, OPTIONS) as grpc.Client & Record<string, unknown>;
  }

  close(): void {
    this.#rooms.close();
  }

  #call(method: string, request: object): Promise<unknown> {
    const unary = this.#rooms[method] as Unary;
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + CALL_MS };
      unary.call(this.#rooms, request, options, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }

  /** Makes a room with a stage and an audience; one that is there already is as good. */
  async openRoom(roomId: string): Promise<void> {
    const room = { speak_policy: "SPEAK_POLICY_SPEAKERS_ONLY" };
    try {
      await this.#call("CreateRoom", { room_id: roomId, request_id: randomUUID(), room });
    } catch (error) {
      if (!isServiceError(error) || reason(error) !== "ROOM_ALREADY_EXISTS") throw error;
    }
  }

  /** Lets somebody listen: their answer and resume token, both for their client. */
  async admit(roomId: string, who: string, offer: string): Promise<JoinResponse> {
    const request = {
      room_id: roomId,
      participant_id: who,
      role: "ROLE_LISTENER",
      sdp_offer: offer,
      request_id: randomUUID(),
    };
    return (await this.#call("Join", request)) as JoinResponse;
  }

  /** Brings somebody to the stage. */
  async promote(roomId: string, who: string): Promise<void> {
    await this.#call("SetRole", { room_id: roomId, participant_id: who, role: "ROLE_SPEAKER" });
  }

  /** Mutes somebody as a moderator does. */
  async mute(roomId: string, who: string): Promise<void> {
    const source = "MUTE_SOURCE_MODERATOR";
    await this.#call("SetMuted", { room_id: roomId, participant_id: who, source, muted: true });
  }

  /** Puts somebody out; who has left already is out. */
  async remove(roomId: string, who: string): Promise<void> {
    try {
      await this.#call("RemoveParticipant", { room_id: roomId, participant_id: who });
    } catch (error) {
      if (!isServiceError(error) || reason(error) !== "PARTICIPANT_NOT_FOUND") throw error;
    }
  }

  /** Tells what happens in all rooms, without an end: a lost watch goes on where it was. */
  async *follow(): AsyncGenerator<WatchRoomsResponse> {
    const watch = this.#rooms["WatchRooms"] as (request: object) => grpc.ClientReadableStream<WatchRoomsResponse>;
    let wait = FIRST_PAUSE_MS;
    for (;;) {
      const stream = watch.call(this.#rooms, { from_revision: this.#revision });
      let whole = true;
      try {
        for await (const message of stream as AsyncIterable<WatchRoomsResponse>) {
          wait = FIRST_PAUSE_MS;
          if (message.event === "snapshot_begin") whole = false;
          if (message.event === "snapshot_end") whole = true;
          // Within a snapshot there is nothing to go on from.
          this.#revision = whole ? message.revision : "0";
          yield message;
        }
      } catch (error) {
        if (!isServiceError(error)) throw error;
        const why = reason(error);
        if (why === "REVISION_IN_FUTURE") this.#revision = "0";
        else if (error.code !== grpc.status.UNAVAILABLE && why !== "WATCH_LIMIT_REACHED") throw error;
      } finally {
        stream.cancel();
      }
      await pause(wait * (0.5 + Math.random() / 2));
      wait = Math.min(2 * wait, LONGEST_PAUSE_MS);
    }
  }
}

/** Plays a short story with the service. */
async function story(service: Signalling, offer: string): Promise<void> {
  await service.openRoom("hall");
  const joined = await service.admit("hall", "ada", offer);
  console.log(`answered: ${joined.sdp_answer.startsWith("v=0")}, may resume: ${joined.resume_token !== ""}`);
  try {
    await service.admit("hall", "ada", offer);
  } catch (error) {
    if (!isServiceError(error)) throw error;
    console.log(`refused: ${reason(error)}`);
  }
  await service.promote("hall", "ada");
  await service.mute("hall", "ada");
  await service.remove("hall", "ada");
}

async function main(): Promise<void> {
  const text = { type: "string", default: "" } as const;
  const { values } = parseArgs({
    options: { control: text, protos: text, ca: text, "api-key-file": text, offer: text },
  });
  const key = readFileSync(values["api-key-file"], "utf8").trim();
  const service = new Signalling(values.control, values.protos, readFileSync(values.ca), key);
  const told = service.follow();
  for (let begun = false; !begun; ) {
    const { value } = await told.next();
    begun = value?.event === "snapshot_end";
  }
  const played = story(service, readFileSync(values.offer, "utf8"));
  for await (const message of told) {
    if (message.event !== "room_event" || !message.room_event) continue;
    const event = message.room_event.event;
    const changed = event.participant_updated?.changed.paths.join(",") ?? "";
    console.log(`told: ${event.event} ${changed}`.trimEnd());
    if (event.event === "participant_left") break;
  }
  await played;
  service.close();
}

await main();
