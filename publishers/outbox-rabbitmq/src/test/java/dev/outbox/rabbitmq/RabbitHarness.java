package dev.outbox.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.OutboxHeaders;
import dev.outbox.processes.Await;
import dev.outbox.publisher.tck.BrokerFault;
import dev.outbox.publisher.tck.PublisherHarness;
import dev.outbox.publisher.tck.ReceivedMessage;
import dev.outbox.servers.RabbitServer;
import dev.outbox.servers.TcpProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** A direct exchange with one queue for each destination, on a broker that may be killed. */
final class RabbitHarness implements PublisherHarness {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final String KEY = "tck.orders";
    private static final String USER = "publisher";
    private static final String PASSWORD = "s3cret-of-the-publisher";
    private static final String PROBE = "probe";

    private final RabbitServer server = RabbitServer.killable();
    private final TcpProxy proxy = TcpProxy.before(server.url());
    private final Map<String, List<ReceivedMessage>> received = new HashMap<>();
    private final String queueType;

    /**
     * Uses a broker that others use, too.
     *
     * @param queueType classic or quorum
     */
    RabbitHarness(String queueType) throws Exception {
        this.queueType = queueType;
        server.control(
                "eval",
                "rabbit_auth_backend_internal:add_user(<<\"" + USER + "\">>, <<\"" + PASSWORD + "\">>, <<\"tests\">>), "
                        + allowing(".*"));
    }

    @Override
    public String createDestination() throws Exception {
        String name = "tck-" + NUMBER.incrementAndGet();
        with(channel -> {
            channel.exchangeDeclare(name, "direct", true);
            declareQueue(channel, name);
        });
        return name;
    }

    private void declareQueue(Channel channel, String name) throws IOException {
        channel.queueDeclare(name, true, false, false, Map.of("x-queue-type", queueType));
        channel.queueBind(name, name, KEY);
        received.put(name, new ArrayList<>());
    }

    @Override
    public AsyncBrokerPublisher<String> open(String destination) {
        String url = proxy.route(server.url()).replace("guest:guest", USER + ":" + PASSWORD);
        return RabbitPublisher.<String>builder(url)
                .exchange(destination)
                .confirmTimeout(Duration.ofSeconds(3))
                .maxMessageSize(RabbitServer.PACKAGED_MAX_MESSAGE_SIZE)
                .build();
    }

    @Override
    public List<ReceivedMessage> received(String destination) throws Exception {
        List<ReceivedMessage> all = received.getOrDefault(destination, new ArrayList<>());
        with(channel -> {
            for (GetResponse got = channel.basicGet(destination, true);
                    got != null;
                    got = channel.basicGet(destination, true)) {
                if (!PROBE.equals(got.getProps().getMessageId())) {
                    all.add(message(destination, got));
                }
            }
        });
        return List.copyOf(all);
    }

    private static ReceivedMessage message(String queue, GetResponse got) {
        Map<String, String> headers = new HashMap<>();
        got.getProps().getHeaders().forEach((name, value) -> headers.put(name, value.toString()));
        return new ReceivedMessage(
                queue,
                headers.get(OutboxHeaders.KEY),
                headers,
                got.getBody(),
                got.getProps().getMessageId());
    }

    @Override
    public AutoCloseable cause(BrokerFault fault, String destination) throws Exception {
        switch (fault) {
            case KILLED -> {
                // RabbitMQ 3 keeps new definitions in memory for up to two seconds. Messages it keeps before a confirm.
                server.control("eval", "mnesia:sync_log().");
                server.kill();
                return server::restart;
            }
            case PAUSED -> {
                server.pause();
                return server::resume;
            }
            case CUT_OFF -> {
                proxy.refuse();
                return proxy::heal;
            }
            case FULL -> {
                server.control(
                        "set_policy",
                        "--apply-to",
                        "queues",
                        "full",
                        "^" + destination + "$",
                        "{\"max-length\": 0, \"overflow\": \"reject-publish\"}");
                Await.until("the queue refuses", () -> !isTaken(destination));
                return () -> {
                    server.control("clear_policy", "full");
                    Await.until("the queue takes messages", () -> isTaken(destination));
                };
            }
            case MISSING -> {
                with(channel -> channel.queueDelete(destination));
                return () -> with(channel -> declareQueue(channel, destination));
            }
            case FORBIDDEN -> {
                allow("^$");
                return () -> allow(".*");
            }
            default -> throw new IllegalArgumentException("a fault that is not known here: " + fault);
        }
    }

    private void allow(String pattern) throws IOException, InterruptedException {
        server.control("eval", allowing(pattern));
    }

    /** A channel remembers what its user may do, so connections are closed after a change. */
    private static String allowing(String pattern) {
        String each = "<<\"" + pattern + "\">>, ";
        return "rabbit_auth_backend_internal:set_permissions(<<\"" + USER + "\">>, <<\"/\">>, " + each + each + each
                + "<<\"tests\">>), [rabbit_networking:close_connection(C, \"other permissions\")"
                + " || C <- rabbit_networking:connections()].";
    }

    private boolean isTaken(String destination) throws Exception {
        boolean[] taken = new boolean[1];
        with(channel -> {
            channel.confirmSelect();
            channel.basicPublish(
                    destination,
                    KEY,
                    new AMQP.BasicProperties.Builder().messageId(PROBE).build(),
                    PROBE.getBytes(StandardCharsets.UTF_8));
            try {
                taken[0] = channel.waitForConfirms(30_000);
            } catch (InterruptedException | TimeoutException e) {
                throw new IOException(e);
            }
        });
        return taken[0];
    }

    @Override
    public int refusedSize() {
        return RabbitServer.PACKAGED_MAX_MESSAGE_SIZE + 1;
    }

    @Override
    public Set<String> secrets() {
        return Set.of(PASSWORD);
    }

    @Override
    public boolean brokerSpeaksFirst() {
        return true;
    }

    @Override
    public int inFlight() {
        return 8;
    }

    @Override
    public void removeDestination(String destination) throws Exception {
        with(channel -> {
            channel.exchangeDelete(destination);
            channel.queueDelete(destination);
        });
    }

    /** Does something on a channel that is there only for that. */
    void with(Use use) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(server.url());
        try (Connection connection = factory.newConnection();
                Channel channel = connection.createChannel()) {
            use.of(channel);
        }
    }

    @FunctionalInterface
    interface Use {
        void of(Channel channel) throws IOException;
    }

    @Override
    public void close() throws IOException {
        proxy.close();
    }
}
