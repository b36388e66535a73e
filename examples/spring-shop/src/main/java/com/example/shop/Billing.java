package com.example.shop;

import dev.outbox.Codec;
import dev.outbox.OutboxHeaders;
import dev.outbox.spring.boot.OutboxJson;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.Id;
import java.nio.charset.StandardCharsets;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

@Component
public class Billing {
    private final EntityManager entities;
    private final Codec<OrderPlaced> json;

    Billing(EntityManager entities, OutboxJson json) {
        this.entities = entities;
        this.json = json.codec(OrderPlaced.class);
    }

    @KafkaListener(topics = "orders", groupId = "billing")
    @Transactional
    public void bill(String message, @Header(OutboxHeaders.ID) String id) throws Exception {
        if (entities.find(Bill.class, id) == null) { // the same message may come again, with the same id
            OrderPlaced order = json.decode(message.getBytes(StandardCharsets.UTF_8));
            entities.persist(new Bill(id, order.number()));
        }
    }
}

@Entity
class Bill {
    @Id
    String message;

    String number;

    protected Bill() {}

    Bill(String message, String number) {
        this.message = message;
        this.number = number;
    }
}
