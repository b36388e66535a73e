package dev.outbox.rabbitmq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.ConfigurationException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** How connections are made; no server is there. */
class ConnectorTest {
    @Test
    void aFactoryThatDoesNotShowItsSocketIsRefused() {
        Connection connection = (Connection) Proxy.newProxyInstance(
                ConnectorTest.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> method.getReturnType() == boolean.class ? false : null);
        RabbitPublisher.Builder<String> builder =
                RabbitPublisher.<String>builder(new Factory(() -> connection)).exchange("");
        ConfigurationException refused = assertThrows(ConfigurationException.class, builder::build);
        assertTrue(refused.getMessage().contains("blocking I/O"), refused.getMessage());
    }

    @Test
    void whatGoesWrongInCodeOfTheApplicationIsAnOutageWithAPause() {
        AtomicInteger attempts = new AtomicInteger();
        Factory factory = new Factory(() -> {
            attempts.incrementAndGet();
            throw new IllegalStateException("no credentials for now");
        });
        Connector connector = new Connector(factory, "orders", new Errors("here", 1), Duration.ofHours(1), "test");
        BrokerUnavailableException away = assertThrows(BrokerUnavailableException.class, connector::get);
        assertTrue(away.toString().contains("no credentials for now"), away.toString());
        assertThrows(BrokerUnavailableException.class, connector::get);
        assertEquals(1, attempts.get(), "attempts to connect within the pause");
    }

    private static final class Factory extends ConnectionFactory {
        private final Supplier<Connection> connections;

        Factory(Supplier<Connection> connections) {
            this.connections = connections;
        }

        @Override
        public Connection newConnection(String name) {
            return connections.get();
        }
    }
}
