"""The figures of ASK beside a busy client, and the requests of the two clients."""

import socket
import threading

from bench.serving import fairness
from bench.serving.fairness import AskTimes

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def make_times(p99: float, *, is_busy: bool) -> AskTimes:
    return AskTimes(1, is_busy, 100, 0, p99 / 2, p99, p99, 10)


def test_only_ask_beside_the_busy_client_has_a_goal() -> None:
    assert make_times(0.05, is_busy=True).goal == fairness.MAX_P99_SECONDS
    assert make_times(0.05, is_busy=False).goal is None


def test_ask_is_sent_from_an_address_of_its_own_with_another_query_each_time() -> None:
    requests, addresses = list[bytes](), list[str]()

    def serve(listener: socket.socket) -> None:
        connection, (address, _) = listener.accept()
        addresses.append(address)
        with connection:
            while data := connection.recv(65536):
                requests.append(data)
                connection.sendall(RESPONSE)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        times = fairness.measure_ask(listener.getsockname()[1], 1, 0.05, None)
        server.join()
    assert (times.requests, times.refused) == (len(requests), 0)
    assert len({*requests}) == len(requests) > 1
    assert addresses == [fairness.ASKING_ADDRESS]


def test_each_request_of_the_busy_client_is_computed_again() -> None:
    assert fairness.build_endless_query(1) != fairness.build_endless_query(1)
    page_requests = {fairness.build_page_request(number) for number in range(len(fairness.HUB_PATHS))}
    assert len(page_requests) == len(fairness.HUB_PATHS)
    assert all(b"Cache-Control: no-cache" in request for request in page_requests)
