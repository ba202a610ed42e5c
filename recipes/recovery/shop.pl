# A shop for recovery.lua: answers pages on $PORT, and at /health how it is. A second or two after its start it falls ill
# with what $ILLNESSES says of this life; the lives are counted in a file of the run's directory.
use strict;
use warnings;
use IO::Socket::INET;

my $lives = "$ENV{PACTLUA_RUN}/$ENV{PACTLUA_SERVICE}.lives";
open(my $file, '>>', $lives) or die "$lives: $!";
print $file "life\n";
close $file;
my $life = (-s $lives) / 5;
my $illness = (split /,/, $ENV{ILLNESSES})[$life - 1];

my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT}, Listen => 16, ReuseAddr => 1)
  or die "port $ENV{PORT}: $!";
my $falls_ill = time() + 2;
$SIG{TERM} = sub { print "closing\n"; exit 0 };
$| = 1;
print "open, life $life\n";

while (1) {
  my $client = $server->accept or next;
  my $path = (split ' ', <$client> // '')[1] // '/';
  while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
  my ($status, $body) = ('200 OK', '{"state":"well"}');
  if ($path eq '/health' && defined $illness && time() >= $falls_ill) {
    ($status, $body) = ('503 Service Unavailable', qq({"state":"unwell","cause":"$illness"}));
  }
  print $client "HTTP/1.1 $status\r\nContent-Type: application/json\r\nContent-Length: " . length($body)
    . "\r\nConnection: close\r\n\r\n$body";
  close $client;
}
