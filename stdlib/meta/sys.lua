---@meta
-- What the C bindings give the standard library: the table `sys`. Only stdlib/pact/main.lua holds
-- it and hands parts of it down; pact/sim/sys.lua is the same table over a made-up world.
--
-- * Times are integer milliseconds: `at`, `now` on the monotonic clock, `wall` since 1970.
-- * What the world refuses is `nil, message, code`; `code` is an errno's name (`'ENOENT'`), `'gone'` (no
--   such object any more), or a word named here. Wrong use of an argument raises.
-- * A call that takes time returns an `id` (an integer, never used twice in a process) at once; the answer
--   is an event: the dispatch function is called with `id, kind, …`. `sys.cancel(id)` ends any operation; no event
--   of that id comes after it.
-- * `sys.cancel(id)` and all that takes an id may be called with one whose object is gone.

---@class sys
---@field role 'front'|'engine'|'solo' front: has the terminal; engine: runs the network, no terminal; solo: neither guard nor engine (check, ps, …)
---@field terminal boolean standard output was a terminal when the program began; in the engine: the front's
---@field args string[] the command line behind the program's name
---@field version string of pactlua
---@field program string absolute path of this binary
---@field time sys.time
---@field proc sys.proc
---@field log sys.log
---@field tail sys.tail
---@field feed sys.feed
---@field http sys.http
---@field net sys.net
---@field ctl sys.ctl
---@field web sys.web
---@field fs sys.fs
---@field os sys.os
---@field text sys.text
---@field watch sys.watch
---@field console sys.console
---@field edit sys.edit
local sys = {}

---Sets the function that hears every event: `fn(id, kind, …)`. Kinds and what follows stand beside the call they answer.
---@param fn fun(id: integer, kind: string, ...)
function sys.dispatch(fn) end

---Sets the function that is called after each turn of the loop that delivered something.
---@param fn fun()
function sys.turn(fn) end

---Much is about to be done at once: for half a second nothing is collected.
---@param last? boolean it is the last thing to be done: hardly anything is collected from then on
function sys.burst(last) end

---Ends any operation or object by id: a timer, a request, a match. No event of that id follows.
---@param id integer
function sys.cancel(id) end

---Ends the loop after this turn; the process exits with `status`, of several calls with the first one's.
---@param status integer 0–255; 256 + n: by signal n, so that a shell sees a death by signal
function sys.stop(status) end

---Calls `fn(...)` under the one protected call, with a traceback in the error: true and results, or
---false and `{ message = , traceback = }`. Never raises. Errors of any type become text.
---@return boolean, any
function sys.try(fn, ...) end

---What a metamethod `__concat` returns: the text of both. It leaves its coroutine, which is gone on with at once: a chain
---of `..` in Lua 5.4.4 else goes on in memory that is no longer the stack, when that has moved meanwhile.
---@return string
function sys.join(left, right) end

---Resumes a coroutine under the watchdog: like coroutine.resume, but code that runs longer than
---`budget_ms` without yielding is interrupted with an error that its own pcall can't hold.
---@param thread thread
---@param budget_ms integer 0: none
---@return boolean ok, any ...
function sys.resume(thread, budget_ms, ...) end

---------------------------------------------------------------------------------------------------
---@class sys.time
sys.time = {}
---@return integer ms monotonic
function sys.time.now() end
---@return integer ms since 1970-01-01 UTC
function sys.time.wall() end
---@return number in [0, 1)
function sys.time.random() end
---Fires once: event `(id, 'timer')`.
---@param ms integer ≥ 0
---@return integer id
function sys.time.after(ms) end
---Subscribes to a signal to this process: event `(0, 'signal', 'INT')`. HUP INT TERM QUIT WINCH TSTP CONT USR1 USR2.
---@param name string without SIG
function sys.time.on_signal(name) end
---Back to the default disposition.
function sys.time.off_signal(name) end

---------------------------------------------------------------------------------------------------
---@class sys.spawn_spec
---@field argv string[] argv[1] is looked up on `path` when it has no slash
---@field env_base? string[] 'NAME=value', before those of `env`; no name stands in both
---@field env string[] the whole environment, or what it has besides `env_base`
---@field path? string the PATH to search; default: PATH of `env`, else the system's default
---@field cwd? string absolute
---@field stdin? 'pipe'|'null'|'inherit' default 'pipe': open and silent until closed by the child's end
---@field stdout? 'log'|'capture'|'null'|'inherit'
---@field stderr? 'log'|'capture'|'null'|'inherit'
---@field log? integer a log's id, for 'log': stdout is stream 1, stderr stream 2
---@field capture_max? integer bytes of each captured stream kept, the first ones; default 1 MiB. More is read and dropped
---@field input? string written to stdin, which is then closed
---@field session? boolean default true: setsid; false: stay in our process group (the CMD of `run`)
---@field uid? integer
---@field gid? integer
---@field groups? integer[]
---@field listen? integer[] ids of sys.net.listen: its descriptors 3, 4, …, with LISTEN_PID in its environment
---@field umask? integer
---@field nice? integer
---@field oom_score_adj? integer
---@field limits? table<string, integer[]> name (as in RLIMIT_, lower case) = { soft, hard }; -1 infinity
---@field pdeathsig? integer the signal that the kernel sends it when we die; default SIGTERM
---@field terminal? { columns: integer, rows: integer } stdin, stdout and stderr are a terminal of its own, of that size; what it shows
--- goes where `stdout` says, 'log' (stream 1) or 'capture'
---@field tag? string NAME=value that its whole offspring carries in its environment, to tell strays by

---@class sys.exit
---@field code? integer 0–255 when it exited
---@field signal? integer when a signal ended it
---@field core? boolean it dumped core
---@field at integer when it was seen, monotonic ms
---@field utime integer ms of processor time in user mode, its waited-for children included
---@field stime integer
---@field maxrss integer bytes
---@field stdout? string what was captured
---@field stderr? string
---@field truncated? boolean more came than capture_max

---@class sys.proc
sys.proc = {}
---Starts a program at vfork speed. The exec has succeeded when this returns an id. Events: `(id, 'exit', sys.exit)` once; with
---'jobstop': `(id, 'jobstop', signo, stopped)`. After 'exit' the process stays a zombie until `sweep`. A process with captured
---streams is told when it has ended and its pipes have ended too, or 200 ms later.
---@param spec sys.spawn_spec
---@return integer? id
---@return integer|string pid_or_message such as `cwd '/x': no such directory`
---@return string? code errno's name
---@return string? step 'fork' 'session' 'stdio' 'listen' 'limits' 'user' 'cwd' 'exec' …
function sys.proc.spawn(spec) end
---Signals what `id` started. After the exit event 'leader' is gone; 'group' and 'tree' still reach what is left.
---@param id integer
---@param signo integer
---@param scope? 'leader'|'group'|'tree' default 'group'. group: the leader's process group, in one kill. tree: group, sessions, and strays attributed to it
---@return true? ok, string? message, string? code
function sys.proc.signal(id, signo, scope) end
---Ends what is left of the tree when the leader has ended (or ends it with its leader): TERM and CONT at once, KILL after
---`grace`, again until nothing is left, at most 2 s more. Then event `(id, 'swept', survivors, killed)`: survivors a list of
---`{ pid=, name=, state=, spared= }` (not killable, or spared by `keep`), killed the number of processes that had been left. The id is gone then.
---When nothing was left the event comes in the next turn. A leader that can't be killed (state D) is among the survivors; its
---'exit' never comes. A second call can only shorten the grace.
---@param id integer
---@param opts? { grace?: integer, scope?: 'tree'|'group', keep?: string[] } grace default 500 ms; keep: names of processes to spare
function sys.proc.sweep(id, opts) end
---Ends every descendant of this process, whoever it belongs to, in the same way: the last act of a shutdown. Event
---`(id, 'swept', survivors, killed)` under the id returned; leaders that still lived are told as always.
---@param opts? { grace?: integer, keep?: string[] }
---@return integer id
function sys.proc.sweep_all(opts) end
---@param detail? boolean with fds, read and write, which cost two more files of each process
---@return { cpu: integer, rss: integer, threads: integer, procs: integer, fds?: integer, read?: integer, write?: integer }? of the whole tree: cpu in ms of processor time so far, sizes in bytes
function sys.proc.sample(id, detail) end
---@return { pid: integer, ppid: integer, name: string, command: string, state: string, rss: integer }[]? the tree, leader first
function sys.proc.tree(id) end
---@return integer[]? TCP ports on which the tree listens
function sys.proc.ports(id) end
---Writes to its stdin pipe; what doesn't fit is kept and written later, up to 1 MiB.
function sys.proc.write(id, bytes) end
function sys.proc.close_stdin(id) end
---Gives its terminal another size. What runs in front there hears SIGWINCH also when it is the size that it had.
---@return true?, string? message, string? code
function sys.proc.resize(id, columns, rows) end
---Processes of this user whose environment has NAME=value, anywhere on the machine, oldest first.
---@param tag string
---@return { pid: integer, start: integer, name: string, command: string, env: table<string,string> }[] env: its PACTLUA_ variables
function sys.proc.tagged(tag) end
---Signals a process by pidfd if its start time is still `start`.
function sys.proc.kill_stray(pid, start, signo) end

---------------------------------------------------------------------------------------------------
---@class sys.log
sys.log = {}
---Opens `<dir>/<name>.log` and `.idx` for writing. Events: `(id, 'logfault', message)` when writing fails (full disk: said once,
---tried again every 2 s) and `(id, 'logfault', nil, lost_bytes)` when it goes on.
---@param opts { dir: string, name: string, max_size?: integer, max_files?: integer, format?: 'raw'|'text'|'json' } max_size default 10 MiB for one file, max_files 5 rotated ones
---@return integer? id, string? message, string? code
function sys.log.open(opts) end
---Later bytes belong to this incarnation.
function sys.log.epoch(id, epoch) end
---@param stream integer 1 stdout, 2 stderr, 3 ours
---@return true? ok, string? message, string? code 'gone'; 'EAGAIN': 4 MiB are queued, what found no room is counted as lost
function sys.log.write(id, stream, bytes) end
---Watches for a line with `pattern` (plain text, or `{ regex = 'POSIX extended' }`), from now on: event `(watch, 'line', text, stream, at, lost)`
---for each, until cancelled. Lines are cut at 64 KiB. At most 4,096 in one turn; `lost` before it were beyond that.
---@return integer? watch, string? message
function sys.log.match(id, pattern) end
---`on`: event `(id, 'output', end_offset, lines)` when bytes have come, at most every 25 ms. Costs nothing while off.
---With true somebody is expected to hold the files by a tail: rotation deletes none until then, for two seconds at most.
---@param id integer
---@param on boolean|'told'
function sys.log.notify(id, on) end
---Those with bytes of which no 'output' has told yet, nor will: for who can't wait for it. At most 256.
---@return integer[] ids
function sys.log.news() end
---@class sys.log_line
---@field at integer wall ms
---@field mono_us integer the same moment on the clock that never jumps, comparable between all logs of a run; 0: not known
---@field stream integer
---@field epoch integer
---@field text string without its newline
---The last lines that match the filters, oldest first.
---@param id integer
---@param filter { count?: integer, since?: integer, grep?: string|table, stream?: integer, epoch?: integer, longest?: integer }
--- count default 100; since: wall ms; longest: bytes of a line that are kept, default 65536
---@return sys.log_line[]?
function sys.log.lines(id, filter) end
---@return { size: integer, lines: integer, lost: integer, queued: integer, path: string }?
function sys.log.stat(id) end
---Shows what terminals of this log's programs are shown to an upgraded request, as 'b' frames and at once. Again after each 'drain' of
---the request: it gets at most 256 KiB ahead of its client.
---@param id integer
---@param request integer
---@return string? recent what was shown last, 16 KiB at most, or what the request has missed of it; the caller sends it
---@return integer|string? lost bytes before that which it will never get; or a message
---@return string? code 'gone'
function sys.log.show(id, request) end
function sys.log.hide(id, request) end
---Other limits for a log that is open; they hold from the next bytes on.
---@param limits { max_size?: integer, max_files?: integer }
---@return true?, string? message, string? code
function sys.log.limit(id, limits) end
---Closes when all that was read is written.
function sys.log.close(id) end
---Waits until all logs' bytes are in their files, at most `ms`.
---@return boolean ok false: it took longer
function sys.log.flush(ms) end

---------------------------------------------------------------------------------------------------
-- Following logs from another process (front, `logs`), by their files alone: byte-exact, through rotation. While a tail
-- holds a segment it isn't deleted.
---Event `(0, 'gone', message)` once when nobody can read the output any more (its reader has ended, the terminal is
---gone): from then on all is dropped, and drains are answered at once.
---@class sys.tail
sys.tail = {}
---@param opts { dir: string, name: string, prefix: string, err_prefix?: string, from?: 'start'|'end' } prefix: put before each line (err_prefix for stderr's)
---@return integer? id, integer|string offset of the first byte that will be shown, or message, string? code
function sys.tail.open(opts) end
---Hears of readers that are gone also while nothing is written.
function sys.tail.watch() end
---Says there may be new bytes. All tails that are awake are merged in time order and written to the output as prefixed lines,
---by a thread of its own: a stalled output doesn't stall the loop.
---@param id integer
function sys.tail.wake(id) end
---`escape`: control sequences other than colours become \xNN (for a terminal); otherwise the bytes are as they are.
---@param opts { escape: boolean }
function sys.tail.style(opts) end
---Puts text of our own into the same output, in order behind the texts before it and behind what all logs hold by now;
---with `at` behind what those that were woken held then. Refused with 'EAGAIN' when 1 MiB of such texts waits already.
---@param text string
---@param at? integer as of sys.time.now
---@return true? ok, string? message, string? code
function sys.tail.say(text, at) end
---Event `(id, 'drain')` when all that was there at the call has been written.
---@return integer id
function sys.tail.drain() end
function sys.tail.close(id) end
---Lines of a log file of any run, oldest first, with the filters of sys.log.lines; `before`: only what is before this offset.
---@return sys.log_line[]?, string? message, string? code
function sys.tail.lines(dir, name, filter) end

---------------------------------------------------------------------------------------------------
-- Lines of logs as JSON objects, by their files, from a remembered place: a window of each, merged in the order of time,
-- then what comes, with nothing lost or doubled between. Nothing is held between pulls, no file, no descriptor: what is
-- deleted before it is pulled is told, `<head>"missed":<bytes><tail>`.
---@class sys.feed
sys.feed = {}
---@class sys.feed_object closes itself when it is collected
---@param opts { lines?: integer, since?: integer, stream?: integer, grep?: string|table, follow?: boolean } lines: of each log,
--- all where none is given; since: wall ms; a line that has not ended is searched when it has
---@return sys.feed_object?, string? message, string? code 'EINVAL': the regular expression
function sys.feed.open(opts) end
---A log that may come to be only later. `head` and `tail` stand around `"at":…,"stream":"stdout","epoch":…,"text":"…"`, behind
---which come `"continues":true` of what goes on with a line, and `"partial":true` of one that has not ended.
---@param feed sys.feed_object
---@param log { dir: string, name: string, head: string, tail: string, whole?: boolean } whole: from its first byte on
---@return integer number for `wake`
function sys.feed.add(feed, log) end
---The log may have grown.
---@param number integer
function sys.feed.wake(feed, number) end
---Works for two milliseconds at most. 'more': pull again; 'soon': in some milliseconds, files are moving; 'idle': when
---something was woken; 'done': there is no more.
---@param size integer bytes, of which an object may be beyond
---@return string bytes whole objects, 'more'|'soon'|'idle'|'done' state, integer spent_us
function sys.feed.pull(feed, size) end
---Tells of all that the logs hold by now and was not pulled.
---@return string bytes
function sys.feed.finish(feed) end
function sys.feed.close(feed) end

---------------------------------------------------------------------------------------------------
-- The terminal that this process was started on.
---@class sys.console
sys.console = {}
---Takes the terminal over: raw, every key as event `(id, 'input', bytes)`, without bytes at the terminal's end. `sys.cancel`, and
---whatever way the process ends but SIGKILL, give it back.
---@return integer? id, string? message, string? code 'ENOTTY', 'EBUSY', 'background': another job has the terminal
function sys.console.open() end
---Gives it back and stops this process; comes back when it is continued, with the terminal taken again.
function sys.console.suspend() end
---Takes it again after somebody else had it.
---@return boolean ours
function sys.console.resume() end
---What is written to the terminal, beside getting its attributes back, when a signal ends this process while it has it taken over:
---what switches off what was switched on.
---@param bytes string at most 256
function sys.console.rescue(bytes) end

---------------------------------------------------------------------------------------------------
---@class sys.http
sys.http = {}
---An HTTP request. Event `(id, 'http', { status=, headers=, body=, truncated=, ms=, url= })` or `(id, 'http', nil, message, code)`: code 'timeout' 'refused' 'dns' 'tls' 'reset'
---'protocol' 'redirects' 'other'. The deadline is for all of it, name look-up included. Header names are lower case; a repeated one's values are joined with ', '.
---@param opts { url: string, method?: string, headers?: table<string,string>, body?: string, timeout: integer, max_body?: integer, redirects?: integer, insecure?: boolean, user_agent?: string, stream?: boolean } max_body default 64 KiB, what is beyond is not read; redirects default 0.
---stream: the body comes in events `(id, 'piece', bytes, status, headers)`, status and headers with the first one only; the next one comes after
---`more(id)`, and 'http' behind the last one. The timeout is then for each piece, and there is no max_body.
---@return integer id
function sys.http.request(opts) end

---The piece has been dealt with: the next one may come.
---@param id integer
function sys.http.more(id) end

---@class sys.net
sys.net = {}
---TCP connect, closed at once. Event `(id, 'connect', true)` or `(id, 'connect', nil, message, code)`; every address of the name is tried.
---@param opts { host: string, port: integer, timeout: integer }
---@return integer id
function sys.net.connect(opts) end
---A TCP port on 127.0.0.1 that nothing listens on now.
---@return integer? port
function sys.net.free_port() end
---@return boolean free can be bound on 127.0.0.1 and on all addresses
---@return string? code 'EADDRINUSE' 'EACCES'
function sys.net.port_free(port) end
---Who listens on a TCP port; when nobody does, who talks from it.
---@return { pid: integer, name: string, command: string, uid: integer }? holder nil: nobody, or not to be seen
function sys.net.port_holder(port) end
---Only lingering connections (TIME_WAIT) hold this port: nobody listens.
---@return boolean
function sys.net.port_lingers(port) end
---Binds a Unix datagram socket (0600; a path with '@' in front is an abstract name). Event `(id, 'datagram', text, pid, uid)` for
---each text of at most 4 KiB: the sender's, pid 0 when it can't be seen from here. `sys.cancel` closes it and removes its file.
---@param path string
---@return integer? id, string? message, string? code 'ENAMETOOLONG' 'EADDRINUSE'
function sys.net.datagrams(path) end
---A listening socket that is held for programs (`listen` of sys.spawn_spec); nothing is accepted here. `sys.cancel` closes it and removes
---the file of a Unix socket (0600; one whose listener is dead is replaced).
---@param opts { host: string, port?: integer }|{ path: string } an address, no name but localhost; port 0: any that is free
---@return integer? id
---@return integer|string port_or_message nil of a Unix socket
---@return string? code 'EADDRINUSE' 'EACCES' 'EADDRNOTAVAIL' 'EINVAL' 'ENAMETOOLONG' 'EEXIST' …
function sys.net.listen(opts) end
---Makes such a socket block again: a program may have changed that for all who have it.
---@param id integer
---@return true?, string? message, string? code
function sys.net.block(id) end

---------------------------------------------------------------------------------------------------
-- The control protocol: HTTP/1.1 over the control socket and over the socketpair between front and engine.
---@class sys.ctl_request
---@field method string
---@field path string without the query, percent-decoded
---@field query table<string,string>
---@field headers table<string,string>
---@field body string at most 1 MiB
---@field front boolean it came over the socketpair
---@field pid integer of the client

---@class sys.ctl
sys.ctl = {}
---Serves on a Unix socket (0600; only this uid is let in). Event `(request, 'request', sys.ctl_request)`.
---@return integer? id, string? message, string? code
function sys.ctl.listen(path) end
---Serves the front's end of the socketpair. Event `(id, 'gone')` when the front is gone: the lease is over.
---@return integer id
function sys.ctl.serve_front() end
---Role 'engine': goes on without the front. What C or a script writes to our stdout and stderr from here on is appended to this
---file; when that can't be opened it goes nowhere.
---@param path string
---@return true? ok, string? message, string? code
function sys.ctl.leave_front(path) end
---Answers whole. This and the next three give nil, message, 'gone' when the client has left.
---@param headers? table<string,string>
---@return true?, string? message, string? code
function sys.ctl.respond(request, status, headers, body) end
---Begins a streamed answer; `sys.ctl.write` adds to it, `sys.ctl.finish` ends it. Event `(request, 'gone', message)` when the client
---has left, of a request that waits for its answer too; no answer is needed then.
---@return true?, string? message, string? code 'gone': the client has left
function sys.ctl.stream(request, status, headers) end
---@return integer? queued bytes not yet taken by the client; above 256 KiB wait for event `(request, 'drain')`; above 8 MiB the client is cut off
function sys.ctl.write(request, bytes) end
---Whether more than 64 KiB are queued: then wait for event `(request, 'drain')`.
---@return boolean? full, string? message, string? code
function sys.ctl.await(request) end
function sys.ctl.finish(request) end
---Answers 101 to a client that asked for an upgrade to pactlua/1: from here both sides send frames. The client's come as event
---`(request, 'frame', kind, bytes)`; `finish` ends it. What isn't frames ends it with event 'gone'.
---@return true?, string? message, string? code
function sys.ctl.upgrade(request) end
---Sends a frame on an upgraded request, or on a call with `upgrade`: 'b' bytes (a request's may be of any size), 'j' a message as
---JSON of at most 65,535 bytes.
---@param id integer of the request or call
---@param kind 'b'|'j'
---@param bytes string
---@return integer? queued as of sys.ctl.write, with its event 'drain'; 0 for a call
---@return string? message, string? code 'gone', 'ENOBUFS': 1 MiB waits to be taken already
function sys.ctl.frame(id, kind, bytes) end
---Waits until answers under way are written, at most `ms`, and closes the socket and removes its file.
function sys.ctl.close(ms) end
---The client side. Without a path: to the engine over the socketpair (role 'front').
---@param path? string
---@return integer? connection, string? message, string? code
function sys.ctl.connect(path) end
---Who serves at the other end of a connection to a path, as the kernel knows it from when it began to listen.
---@param connection integer
---@return integer? pid, integer|string uid or message, string? code 'gone'
function sys.ctl.peer(connection) end
---Asks. Events: `(call, 'response', status, headers, body)`; with `stream = true`: `(call, 'response', status, headers)`, then `(call, 'response', nil, nil, piece)` for
---each piece, `(call, 'response', nil, nil, nil)` at the end. `(call, 'gone', message)` when the connection was lost. `upgrade = true` asks
---for pactlua/1: `(call, 'response', 101, headers)`, then `(call, 'frame', kind, bytes)`; any other status comes as without it.
---@param request { method?: string, path: string, headers?: table<string,string>, body?: string, stream?: boolean, upgrade?: boolean }
---@return integer? call, string? message, string? code 'gone': nobody serves there any more
function sys.ctl.call(connection, request) end
---Role 'front': the guard's pid, and event `(0, 'signal', 'GUARD')` when guard and engine have ended.
---@return { guard: integer, status?: integer }
function sys.ctl.guard() end
---Role 'front', for an engine that doesn't answer any more: SIGKILL; the guard then ends all of it.
---@return true? ok, string? message, string? code 'ESRCH': it has ended
function sys.ctl.kill_engine() end

---------------------------------------------------------------------------------------------------
-- HTTP servers of the recipe's own.
---@class sys.web_request
---@field method string
---@field path string without the query, percent-decoded
---@field query table<string,string>
---@field headers table<string,string> names in lower case, repeated ones joined with ', '
---@field body string
---@field remote string `127.0.0.1:4711`; empty over a Unix socket

---@class sys.web
sys.web = {}
---Serves HTTP/1.1 on TCP (`host`: a numeric address or localhost; port 0: any), or on a Unix socket (0600; only this uid is let in).
---Event `(listener, 'request', request, sys.web_request)`. `sys.cancel(listener)` closes it at once with its connections; answers that are
---queued are still written. What is malformed, too large or too slow (400 408 413 414 431), and who comes beyond `max_connections` (503), is answered in C:
---in a line of text, or with `refusals = 'json'` as `{"code", "error"}`. With `when_full = 'give_way'` those go who are idle or slow to
---ask before anybody is refused.
---@param opts { host?: string, port?: integer, path?: string, refusals?: 'text'|'json', when_full?: 'refuse'|'give_way', max_body?: integer, max_connections?: integer, head_timeout?: integer, body_timeout?: integer, idle_timeout?: integer, take_timeout?: integer } bytes, ms (0: no limit); defaults 1 MiB, 1000, 10 s, 30 s, 60 s, 60 s. take_timeout: for a client that takes nothing of its answer
---@return integer? listener, integer|string port_or_message, string? code 'EADDRINUSE' 'EACCES' 'EADDRNOTAVAIL'; 'EINVAL': host is a name
function sys.web.listen(opts) end
---As sys.ctl.respond and the three beside it. A header's value may be a list of strings: it is sent once for each.
function sys.web.respond(request, status, headers, body) end
function sys.web.stream(request, status, headers) end
---@return integer? queued
function sys.web.write(request, bytes) end
---@return boolean? full
function sys.web.await(request) end
function sys.web.finish(request) end

---------------------------------------------------------------------------------------------------
---@class sys.fs
sys.fs = {}
---@return string? bytes, string? message, string? code 'EFBIG' above max (default 64 MiB)
function sys.fs.read(path, max) end
---Up to `size` bytes (at most 64 MiB) from `offset` on; '' behind the end.
---@return string? bytes, string? message, string? code
function sys.fs.read_at(path, offset, size) end
---@param opts? { mode?: integer, append?: boolean, atomic?: boolean } atomic: through a file beside it and rename
---@return true?, string?, string?
function sys.fs.write(path, bytes, opts) end
---@return { type: 'file'|'directory'|'socket'|'fifo'|'link'|'other', size: integer, mtime: integer, mode: integer, uid: integer }?, string?, string? mtime: wall ms
function sys.fs.stat(path) end
---@param mode? integer default 0755
---@return true?, string?, string? with its parents; an existing directory is fine
function sys.fs.mkdir(path, mode) end
---@param opts? { directories?: boolean } only directories, and links to them
---@return string[]?, string?, string? names, sorted, without . and ..
function sys.fs.list(path, opts) end
---@param opts? { tree?: boolean }
function sys.fs.remove(path, opts) end
function sys.fs.rename(from, to) end
function sys.fs.symlink(target, path) end
---@return string?, string?, string? absolute, links resolved
function sys.fs.realpath(path) end
---@return string
function sys.fs.cwd() end
function sys.fs.chdir(path) end
---@return boolean
function sys.fs.can_write(path) end
---@return boolean
function sys.fs.can_execute(path) end
---flock for life. nil, message, 'held' when another process has it; its content is then the fourth value.
---@param content? string written into it once it is ours
---@return integer? id, string? message, string? code, string? content
function sys.fs.lock(path, content) end
---A file to append to, unbuffered.
---@return integer? id, string?, string?
function sys.fs.open_append(path, mode) end
---@return true?, string?, string?
function sys.fs.append(id, bytes) end
function sys.fs.close(id) end

---------------------------------------------------------------------------------------------------
---@class sys.os
sys.os = {}
---@return table<string,string>
function sys.os.env() end
---@return integer
function sys.os.pid() end
---@return integer uid, integer gid
function sys.os.ids() end
---@param name string|integer
---@return { name: string, uid: integer, gid: integer, groups: integer[], home: string, shell: string }? user
function sys.os.user(name) end
---From the kernel's randomness, fit for secrets.
---@param count integer 1 to 256
---@return string bytes
function sys.os.random(count) end
---@type table<string, integer> number by name without SIG
sys.os.signals = {}
---@type table<string, integer> number by name
sys.os.errno = {}
---@param signo integer
---@return string name without SIG
function sys.os.signal_name(signo) end
---@param fd integer
---@return boolean
function sys.os.isatty(fd) end
---@return integer columns, integer rows 80, 24 where it can't be told
function sys.os.terminal_size() end
---Reads the standard input to its end, or so many bytes of it; nothing else is done meanwhile.
---@param max integer bytes
---@return string? bytes, string? message, string? code
function sys.os.read_input(max) end
---Writes to a standard descriptor (1 or 2), all of it.
---@return true?, string?, string?
function sys.os.write(fd, text) end
---@return string? absolute path of a program on `path`
function sys.os.find_program(name, path) end
---@return { cpus: integer, load: number, mem_total: integer, mem_available: integer, cpu_busy: integer, cpu_total: integer, kernel: string, distribution: string } sizes in bytes, cpu in ms since boot
function sys.os.system() end
---@return { total: integer, available: integer }? bytes, of the file system that holds `path`
function sys.os.disk(path) end
---@return table<string, integer[]> soft and hard, -1 infinity
function sys.os.limits() end
---The process's own figures, for `doctor` and tests.
---@return { rss: integer, fds: integer, children: integer }
function sys.os.self() end
---Takes the terminal's foreground for a process group, and gives it back with our own.
function sys.os.foreground(pid) end

---------------------------------------------------------------------------------------------------
---@class sys.text
sys.text = {}
---@param pattern string|{ regex: string }
---@return true?, string? message what is wrong with it
function sys.text.check(pattern) end
---@return boolean
function sys.text.find(pattern, text) end
---A stable 64-bit hash as 16 hex digits (FNV-1a).
---@return string
function sys.text.hash(text) end
---Columns that the text takes on a terminal.
---@return integer
function sys.text.width(text) end
---A value as `pact.base.json` writes it, for what is often written; nil for the rest.
---@param value any
---@param null any what stands for null
---@return string?
function sys.text.json(value, null) end

---------------------------------------------------------------------------------------------------
-- What changes in directories, not below them. A set is what one asker watches; `sys.cancel` ends it.
---@class sys.watch
sys.watch = {}
---A new set. Event `(id, 'change', key, name, what, directory)`: what is 'written' (a writer has closed the file) 'created' 'removed' (moved
---here and away, too) of what `name` names, which may be a directory; 'gone': the directory itself, whose key is free then;
---'overflow' (key 0): events were lost, all must be looked at.
---@return integer? id, string? message, string? code 'EMFILE'
function sys.watch.open() end
---@param id integer
---@param path string
---@return integer? key the same for the same directory by whatever path
---@return string? message, string? code 'ENOENT' 'ENOTDIR' 'EACCES' 'ENOSPC': no more may be watched
function sys.watch.add(id, path) end
---@param id integer
---@param key integer
function sys.watch.remove(id, key) end

return sys

---------------------------------------------------------------------------------------------------
-- Lines from who sits at the terminal, or from a pipe. A thread of its own reads them: neither waits for the other.
---@class sys.edit
sys.edit = {}
---Whether there is what lines are edited with: libedit, which is loaded for that.
---@return true?, string? message, string? code
function sys.edit.available() end
---Once in a process. Events: `(id, 'edit', 'line', text)` for a line that was asked for, `(id, 'edit', 'end')` when there are no
---more (Ctrl-D on an empty line), `(id, 'edit', 'tab', line, cursor)` when Tab was typed: bytes before the cursor.
---@param editing boolean with libedit; standard input and output must be a terminal then
---@return integer? id, string? message, string? code 'ENOSYS': there is no libedit
function sys.edit.open(editing) end
---Gives the terminal its modes back. May be called when it isn't open.
function sys.edit.close() end
---Asks for a line, one at a time. Between two bytes 1 in the prompt stands what takes no columns.
---@param prompt string
function sys.edit.read(prompt) end
---Gives up the line that is asked for; no event comes of it.
---@param mark? string written behind it
---@return boolean asked false: none was
function sys.edit.cancel(mark) end
---@return boolean something stands in the line that is being typed
function sys.edit.typed() end
---Writes to standard output; above the line that is being typed, which is drawn again.
---@return true?, string?, string?
function sys.edit.write(bytes) end
---A line that the arrow keys give back.
---@param text string
function sys.edit.remember(text) end
---The answer to Tab: takes `back` characters away before the cursor and inserts `text`.
---@param before string what stood before the cursor then
---@return boolean done false: it doesn't any more
function sys.edit.complete(before, back, text) end
---Stops this process as Ctrl-Z does; returns when it goes on.
function sys.edit.suspend() end
---This process goes on after a stop that it was not asked for.
function sys.edit.resume() end
---The terminal has another size.
function sys.edit.resize() end
---An empty screen; the line that is being typed stays.
function sys.edit.clear() end
