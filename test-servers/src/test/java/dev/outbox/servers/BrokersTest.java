package dev.outbox.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What tests of publishers do to their brokers. */
class BrokersTest {
    private static final byte[] AMQP = {'A', 'M', 'Q', 'P', 0, 0, 9, 1};
    private static final int PATIENT = 30_000;

    @Test
    @Tag("rabbitmq")
    void rabbitIsKilledStartedAgainPausedAndControlled() throws Exception {
        int port;
        try (RabbitServer server = RabbitServer.packaged()) {
            port = URI.create(server.url()).getPort();
            server.control("add_vhost", "kept");
            server.kill();
            assertThrows(IOException.class, () -> said(port, PATIENT, AMQP));
            server.restart();
            assertEquals(1, said(port, PATIENT, AMQP), "a frame with a method");
            assertTrue(server.control("list_vhosts").contains("kept"));
            server.pause();
            assertThrows(SocketTimeoutException.class, () -> said(port, 500, AMQP));
            server.resume();
            assertEquals(1, said(port, PATIENT, AMQP));
        }
        assertThrows(IOException.class, () -> said(port, PATIENT, AMQP));
    }

    @Test
    @Tag("nats")
    void natsIsKilledStartedAgainAndPaused() throws Exception {
        int port;
        try (NatsServer server = NatsServer.packaged("max_payload: 1000")) {
            port = URI.create(server.url()).getPort();
            assertEquals('I', said(port, PATIENT), "INFO");
            server.kill();
            assertThrows(IOException.class, () -> said(port, PATIENT));
            server.restart();
            assertEquals('I', said(port, PATIENT));
            server.pause();
            assertThrows(SocketTimeoutException.class, () -> said(port, 500));
            server.resume();
            assertEquals('I', said(port, PATIENT));
        }
        assertThrows(IOException.class, () -> said(port, PATIENT));
    }

    private static int said(int port, int millis, byte... first) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), millis);
            socket.setSoTimeout(millis);
            socket.getOutputStream().write(first);
            int said = socket.getInputStream().read();
            if (said < 0) {
                throw new IOException("The server ended the connection.");
            }
            return said;
        }
    }
}
