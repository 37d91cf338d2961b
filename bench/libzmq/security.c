/* CURVE for every socket of a job. The keys are those of libzmq's manual, known to everybody. */
#include "common.h"

#define CLIENT_PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define CLIENT_SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
#define SERVER_PUBLIC "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define SERVER_SECRET "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"
/* Forty characters and the end of the text. */
#define KEY_SIZE 41

static int curve;

void use_curve(void) {
  if (!zmq_has("curve")) give_up("this libzmq is built without CURVE");
  curve = 1;
}

void secure_bound(void *socket) {
  int on = 1;
  if (!curve) return;
  check(zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof on), "ZMQ_CURVE_SERVER");
  check(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, SERVER_SECRET, KEY_SIZE), "ZMQ_CURVE_SECRETKEY");
}

void secure_connected(void *socket) {
  if (!curve) return;
  check(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, SERVER_PUBLIC, KEY_SIZE), "ZMQ_CURVE_SERVERKEY");
  check(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, CLIENT_PUBLIC, KEY_SIZE), "ZMQ_CURVE_PUBLICKEY");
  check(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, CLIENT_SECRET, KEY_SIZE), "ZMQ_CURVE_SECRETKEY");
}
