package dev.outbox.opentelemetry;

import com.sun.net.httpserver.HttpServer;
import dev.outbox.Codecs;
import dev.outbox.Outbox;
import dev.outbox.OutboxHeaders;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;

/**
 * An application that runs with the Java agent. It writes a message in a request, and its publisher calls a broker by
 * HTTP. It prints which spans were current, and which context the message and the broker were given.
 */
final class AgentMain {
    private AgentMain() {}

    @SuppressWarnings("try") // a scope is closed, and not looked at
    public static void main(String[] arguments) throws Exception {
        HttpServer broker = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        broker.createContext("/", exchange -> {
            String context = exchange.getRequestHeaders().getFirst(OutboxHeaders.TRACEPARENT);
            byte[] answer = String.valueOf(context).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Connection", "close"); // no request meets one that ends
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        broker.start();
        URI address = URI.create("http://127.0.0.1:" + broker.getAddress().getPort());
        HttpClient client = HttpClient.newHttpClient();
        OpenTelemetry agent = GlobalOpenTelemetry.get();
        OutboxTelemetry telemetry = OutboxTelemetry.builder(agent).build();
        Topic<String> topic = Topic.builder("orders", Codecs.text())
                .publisher(delivery -> {
                    say("message", String.valueOf(delivery.headers().get(OutboxHeaders.TRACEPARENT)));
                    say("send", Span.current());
                    HttpRequest request = HttpRequest.newBuilder(address).build();
                    say(
                            "broker",
                            client.send(request, HttpResponse.BodyHandlers.ofString())
                                    .body());
                    return Receipt.taken();
                })
                .build();
        MemoryOutbox outbox = new MemoryOutbox();
        Span request = agent.getTracer("application").spanBuilder("request").startSpan();
        try (Scope scope = request.makeCurrent();
                MemoryTransaction tx = outbox.begin()) {
            say("request", request);
            Outbox.bind(topic, telemetry.persist(MemoryOutbox.persist(tx))).publish("text");
            tx.commit();
        }
        request.end();
        try (Relay relay =
                Relay.builder(outbox.store()).topic(topic).around(telemetry).build()) {
            say("published", Integer.toString(relay.processMessages(10).published()));
        }
        broker.stop(0);
    }

    private static void say(String what, Span span) {
        say(
                what,
                "00-" + span.getSpanContext().getTraceId() + "-"
                        + span.getSpanContext().getSpanId());
    }

    private static void say(String what, String value) {
        System.out.println("of the test: " + what + " " + value);
    }
}
