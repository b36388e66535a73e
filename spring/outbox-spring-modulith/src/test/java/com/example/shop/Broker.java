package com.example.shop;

import dev.outbox.Delivery;
import dev.outbox.Receipt;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What was sent. */
public class Broker {
    private final List<Delivery<?>> sent = new CopyOnWriteArrayList<>();

    public Receipt send(Delivery<?> delivery) {
        sent.add(delivery);
        return Receipt.of(delivery.id());
    }

    public List<Delivery<?>> sent() {
        return sent;
    }

    public List<String> payloads() {
        return sent.stream()
                .map(delivery -> new String(delivery.payload(), StandardCharsets.UTF_8))
                .toList();
    }
}
