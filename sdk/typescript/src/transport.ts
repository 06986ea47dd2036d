/**
 * Requests to a session: HTTP/1.1 over loopback, nothing more.
 *
 * A function call lives for milliseconds, and loading the HTTP client of Node would take longer than
 * everything else it does. Connections are kept and do not keep a program alive while they are idle.
 */

import { connect, type Socket } from "node:net"

import { type EngineError, EngineSessionError, requestError } from "./errors.js"

/** An answer of the engine. */
interface Answer {
  data?: Record<string, unknown> | null
  errors?: EngineError[]
}

/** A connection closed by the other side before it answered. */
class Stale extends Error {}

/** Reads one response from pieces of it. */
class Response {
  keep = true
  private readonly pieces: Buffer[] = []
  private head: Buffer = Buffer.alloc(0)
  private inBody = false
  private chunked = false
  private left = -1
  private chunk = -1

  /** Takes a piece; true when the response is complete. */
  feed(piece: Buffer): boolean {
    let rest = piece
    if (!this.inBody) {
      this.head = this.head.length === 0 ? piece : Buffer.concat([this.head, piece])
      const end = this.head.indexOf("\r\n\r\n")
      if (end < 0) {
        return false
      }
      rest = this.head.subarray(end + 4)
      const head = this.head.toString("latin1", 0, end)
      this.head = Buffer.alloc(0)
      if (head.startsWith("HTTP/1.1 1")) {
        return rest.length > 0 && this.feed(rest)
      }
      this.readHead(head)
    }
    return this.chunked ? this.feedChunks(rest) : this.feedPlain(rest)
  }

  /** Whether nothing of it has come yet. */
  get isEmpty(): boolean {
    return !this.inBody && this.head.length === 0
  }

  /** Whether it is complete if the connection ends now. */
  get endsHere(): boolean {
    return this.inBody && !this.chunked && this.left < 0
  }

  text(): string {
    return Buffer.concat(this.pieces).toString("utf8")
  }

  private readHead(head: string): void {
    this.inBody = true
    for (const line of head.split("\r\n").slice(1)) {
      const colon = line.indexOf(":")
      const name = line.slice(0, colon).trim().toLowerCase()
      const value = line.slice(colon + 1).trim()
      if (name === "content-length") {
        this.left = Number(value)
      } else if (name === "transfer-encoding") {
        this.chunked = value.toLowerCase().includes("chunked")
      } else if (name === "connection" && value.toLowerCase() === "close") {
        this.keep = false
      }
    }
    if (!this.chunked && this.left < 0) {
      this.keep = false
    }
  }

  private feedPlain(piece: Buffer): boolean {
    this.pieces.push(piece)
    if (this.left < 0) {
      return false
    }
    this.left -= piece.length
    return this.left <= 0
  }

  private feedChunks(piece: Buffer): boolean {
    let rest = this.head.length === 0 ? piece : Buffer.concat([this.head, piece])
    this.head = Buffer.alloc(0)
    for (;;) {
      if (this.chunk < 0) {
        const end = rest.indexOf("\r\n")
        if (end < 0) {
          this.head = rest
          return false
        }
        this.chunk = parseInt(rest.toString("latin1", 0, end), 16)
        rest = rest.subarray(end + 2)
      }
      // Every chunk, the last and empty one too, is followed by an empty line.
      if (rest.length < this.chunk + 2) {
        this.head = rest
        return false
      }
      if (this.chunk === 0) {
        return true
      }
      this.pieces.push(rest.subarray(0, this.chunk))
      rest = rest.subarray(this.chunk + 2)
      this.chunk = -1
    }
  }
}

/** A session of an engine, reached over the loopback. */
export class Session {
  private readonly idle: Socket[] = []
  private readonly head: string
  private isClosed = false

  /** `onClose` runs when the session is closed by {@link close}. */
  constructor(
    private readonly port: number,
    token: string,
    private readonly onClose?: () => Promise<void>,
  ) {
    const credentials = Buffer.from(`${token}:`).toString("base64")
    const trace = process.env["TRACEPARENT"]
    this.head =
      "POST /query HTTP/1.1\r\n" +
      `Host: 127.0.0.1:${port}\r\n` +
      `Authorization: Basic ${credentials}\r\n` +
      "Content-Type: application/json\r\n" +
      (trace === undefined ? "" : `traceparent: ${trace}\r\n`)
  }

  /** Sends a query and returns its data. */
  async request(query: string): Promise<Record<string, unknown>> {
    if (this.isClosed) {
      throw new EngineSessionError("the session is closed")
    }
    const body = JSON.stringify({ query })
    const message = `${this.head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    for (;;) {
      const kept = this.idle.pop()
      try {
        const socket = kept ?? (await this.open())
        return this.read(await this.exchange(socket, message), query)
      } catch (error) {
        if (kept === undefined || !(error instanceof Stale)) {
          throw error instanceof Stale
            ? new EngineSessionError("the engine closed the connection")
            : error
        }
      }
    }
  }

  /** Ends the session, and the engine if it was started for it. */
  async close(): Promise<void> {
    if (this.isClosed) {
      return
    }
    this.isClosed = true
    for (const socket of this.idle.splice(0)) {
      socket.destroy()
    }
    await this.onClose?.()
  }

  private open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: this.port, noDelay: true })
      const failed = (error: Error) => {
        const where = `127.0.0.1:${this.port}`
        reject(
          new EngineSessionError(`cannot connect to the engine at ${where}: ${error.message}`, error),
        )
      }
      socket.once("error", failed)
      socket.once("connect", () => {
        socket.off("error", failed)
        resolve(socket)
      })
    })
  }

  private exchange(socket: Socket, message: string): Promise<Response> {
    return new Promise((resolve, reject) => {
      const response = new Response()
      const end = (settle: () => void) => {
        socket.removeAllListeners()
        // Late errors of a connection that nobody waits for are no news.
        socket.on("error", () => socket.destroy())
        settle()
      }
      socket.ref()
      socket.on("data", (piece: Buffer) => {
        if (!response.feed(piece)) {
          return
        }
        end(() => {
          this.keep(socket, response)
          resolve(response)
        })
      })
      socket.on("error", (error) => {
        socket.destroy()
        const lost = new EngineSessionError(
          `the connection to the engine broke: ${error.message}`,
          error,
        )
        end(() => {
          reject(response.isEmpty ? new Stale() : lost)
        })
      })
      socket.on("close", () => {
        end(() => {
          if (response.endsHere) {
            resolve(response)
          } else {
            const lost = new EngineSessionError("the engine's answer broke off")
            reject(response.isEmpty ? new Stale() : lost)
          }
        })
      })
      socket.write(message)
    })
  }

  private keep(socket: Socket, response: Response): void {
    if (response.keep && !this.isClosed) {
      socket.unref()
      socket.on("close", () => {
        const at = this.idle.indexOf(socket)
        if (at >= 0) {
          this.idle.splice(at, 1)
        }
      })
      this.idle.push(socket)
    } else {
      socket.destroy()
    }
  }

  private read(response: Response, query: string): Record<string, unknown> {
    const text = response.text()
    let answer: Answer
    try {
      answer = JSON.parse(text) as Answer
    } catch {
      throw new EngineSessionError(`the engine's answer is not JSON: ${text.slice(0, 200)}`)
    }
    if (answer.errors !== undefined && answer.errors.length > 0) {
      throw requestError(answer.errors, query)
    }
    return answer.data ?? {}
  }
}
