"""The figures of ASK beside a busy client, and the requests of the two clients."""

import socket
import threading

from bench.serving import fairness
from bench.serving.fairness import AskTimes

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_only_ask_beside_another_client_has_a_goal() -> None:
    goals = [AskTimes(1, load, 100, 0, 0.01, 0.05, 0.06, 10).goal for load in fairness.LOADS]
    assert goals == [None, *[fairness.MAX_P99_SECONDS] * 3]


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
        with fairness.run_busy_client(0, None) as page_count:
            times = fairness.measure_ask(listener.getsockname()[1], 1, "none", 0.05, page_count)
        server.join()
    assert (times.requests, times.refused) == (len(requests), 0)
    assert len({*requests}) == len(requests) > 1
    assert addresses == [fairness.ASKING_ADDRESS]


def test_each_request_of_the_busy_client_is_computed_again() -> None:
    assert fairness.build_endless_query(1) != fairness.build_endless_query(1)
    page_requests = {fairness.build_page_request(number) for number in range(len(fairness.HUB_PATHS))}
    assert len(page_requests) == len(fairness.HUB_PATHS)
    assert all(b"Cache-Control: no-cache" in request for request in page_requests)
