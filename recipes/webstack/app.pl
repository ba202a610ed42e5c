#!/usr/bin/perl
# A guest book over HTTP, with nothing but Debian's perl-base: greetings are kept in PostgreSQL (through
# psql), visits are counted in Redis (by its protocol).
#
#   GET /          the number of visits and the last greetings
#   POST /         adds the body as a greeting
#   GET /health    "ok" when Redis answers
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
my $redis_port = $ENV{REDIS_PORT} or die "app: REDIS_PORT is not set\n";
my $database   = $ENV{DATABASE_URL} or die "app: DATABASE_URL is not set\n";

my $server = IO::Socket::INET->new(
  LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1,
) or die "app: port $ENV{PORT}: $@\n";
$SIG{PIPE} = 'IGNORE';
print "listening on http://127.0.0.1:$ENV{PORT}/\n";

# Asks Redis one thing and gives its one-line answer without the type mark.
sub redis {
  my @words  = @_;
  my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $redis_port, Timeout => 2)
    or die "redis: $@\n";
  print $socket '*' . @words . "\r\n", map { '$' . length($_) . "\r\n$_\r\n" } @words;
  my $answer = <$socket> // die "redis: no answer\n";
  $answer =~ s/\r\n$//;
  die "redis: $answer\n" if $answer =~ s/^-//;
  return substr $answer, 1;
}

# Runs a query; `$message`, when given, is :'message' in it.
sub sql {
  my ($query, $message) = @_;
  pipe(my $from, my $to) or die "pipe: $!\n";
  my $pid = open(my $out, '-|') // die "fork: $!\n";
  if (!$pid) {
    close $to;
    open(STDIN, '<&', $from);
    exec 'psql', '-qAt', '-v', 'ON_ERROR_STOP=1', '-v', 'message=' . ($message // ''), $database;
    exit 127;
  }
  close $from;
  print $to $query;
  close $to;
  local $/;
  my $rows = <$out>;
  close $out or die "psql failed\n";
  return $rows;
}

sub page {
  my $visits = redis('INCR', 'visits');
  return "visit $visits\n" . sql('SELECT message FROM greeting ORDER BY id DESC LIMIT 10');
}

sub answer {
  my ($method, $path, $body) = @_;
  return (200, redis('PING') eq 'PONG' ? "ok\n" : "no\n") if $path eq '/health';
  return (404, "not found\n") if $path ne '/';
  return (200, page())        if $method eq 'GET';
  return (405, "GET or POST\n") if $method ne 'POST';
  sql("INSERT INTO greeting (message) VALUES (:'message')", $body);
  return (201, "thank you\n");
}

sub serve {
  my ($client) = @_;
  my $request = <$client> // return;
  my ($method, $path) = $request =~ m{^(\w+) (\S+)} or return;
  my $length = 0;
  while (defined(my $header = <$client>)) {
    last if $header =~ /^\r?\n$/;
    $length = $1 if $header =~ /^content-length:\s*(\d+)/i;
  }
  my $body = '';
  read $client, $body, $length > 1000 ? 1000 : $length if $length;
  my ($status, $text) = eval { answer($method, $path, $body) };
  ($status, $text) = (503, $@) if $@;
  print $client "HTTP/1.1 $status -\r\nContent-Type: text/plain\r\nConnection: close\r\n",
    'Content-Length: ', length $text, "\r\n\r\n$text";
  print "$method $path $status\n" if $path ne '/health';
}

# One client at a time, each for five seconds at most.
while (1) {
  my $client = $server->accept or next;
  eval {
    local $SIG{ALRM} = sub { die "too slow\n" };
    alarm 5;
    serve($client);
  };
  print "gave up a request: $@" if $@;
  alarm 0;
}
