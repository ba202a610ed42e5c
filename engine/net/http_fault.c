// What became of a request that got no answer, in a word for programs and a sentence for people.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/address.h"
#include "net/http_transfer.h"

static void set(struct http_fault *fault, const char *code, const char *message) {
  fault->code = code;
  snprintf(fault->message, sizeof fault->message, "%s", message);
}

static void connect_fault(const struct http_transfer *transfer, struct http_fault *fault) {
  long error = 0;
  transfer->curl->easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &error);
  if (error == ECONNREFUSED)
    set(fault, "refused", "connection refused");
  else
    set(fault, "other", error ? strerror((int)error) : transfer->error);
}

// OpenSSL's reasons (x509_vfy.h) that a development network meets.
static const char *certificate_text(long verify_result) {
  switch (verify_result) {
  case 9: return "certificate not yet valid";
  case 10: return "certificate expired";
  case 18: return "certificate is self-signed";
  case 19: return "certificate is signed by a self-signed one that isn't trusted";
  case 2:
  case 20:
  case 21: return "certificate's issuer isn't known";
  case 23: return "certificate revoked";
  case 62:
  case 64: return "certificate is for another name";
  default: return NULL;
  }
}

static void tls_fault(const struct http_transfer *transfer, CURLcode result,
                      struct http_fault *fault) {
  long verify_result = 0;
  transfer->curl->easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &verify_result);
  const char *text = certificate_text(verify_result);
  if (!text && strstr(transfer->error, "subject name")) text = "certificate is for another name";
  if (!text && strstr(transfer->error, "wrong version number"))
    text = "the server doesn't speak TLS";
  if (!text) text = transfer->error[0] ? transfer->error : transfer->curl->easy_strerror(result);
  set(fault, "tls", text);
}

static void write_fault(const struct http_transfer *transfer, struct http_fault *fault) {
  if (transfer->head_too_large)
    set(fault, "protocol", "the answer's head is larger than 64 KiB");
  else
    set(fault, "other", "out of memory");
}

void http_fault_of(const struct http_transfer *transfer, CURLcode result,
                   struct http_fault *fault) {
  switch ((int)result) {
  case CURLE_COULDNT_CONNECT: connect_fault(transfer, fault); return;
  case CURLE_COULDNT_RESOLVE_HOST: set(fault, "dns", transfer->error); return;
  case CURLE_OPERATION_TIMEDOUT: http_fault_late(transfer, fault); return;
  case CURLE_GOT_NOTHING: set(fault, "reset", "connection closed without an answer"); return;
  case CURLE_PARTIAL_FILE:
    set(fault, "reset", "connection closed in the middle of the answer");
    return;
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR: set(fault, "reset", "connection reset"); return;
  case CURLE_WRITE_ERROR: write_fault(transfer, fault); return;
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_CERTPROBLEM: tls_fault(transfer, result, fault); return;
  case CURLE_UNSUPPORTED_PROTOCOL: // HTTP/0.9 in a connection that is HTTP's
  case CURLE_WEIRD_SERVER_REPLY: set(fault, "protocol", "the answer isn't HTTP"); return;
  case CURLE_BAD_CONTENT_ENCODING:
  case CURLE_HTTP2:
  case CURLE_HTTP_POST_ERROR:
    set(fault, "protocol", transfer->error[0] ? transfer->error : "the answer is malformed");
    return;
  default:
    set(fault, "other",
        transfer->error[0] ? transfer->error : transfer->curl->easy_strerror(result));
  }
}

void http_fault_late(const struct http_transfer *transfer, struct http_fault *fault) {
  char ms[MS_TEXT_SIZE];
  ms_text(transfer->timeout_ms, ms);
  fault->code = "timeout";
  if (transfer->resolving)
    snprintf(fault->message, sizeof fault->message, "name '%.200s' not resolved within %s",
             transfer->host, ms);
  else if (transfer->head_seen)
    snprintf(fault->message, sizeof fault->message, "answer not complete within %s", ms);
  else
    snprintf(fault->message, sizeof fault->message, "no answer within %s", ms);
}
