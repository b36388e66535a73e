package com.example.shop;

import dev.outbox.spring.OutboxPublisher;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.Id;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class PlaceOrder {
    private final EntityManager entities;
    private final OutboxPublisher<OrderPlaced> orders;

    PlaceOrder(EntityManager entities, OutboxPublisher<OrderPlaced> orders) {
        this.entities = entities;
        this.orders = orders;
    }

    @PostMapping("/orders")
    @Transactional
    public String place(String number, String customer) {
        entities.persist(new Purchase(number));
        return orders.publish(new OrderPlaced(number, customer));
    }
}

@Entity
class Purchase {
    @Id
    String number;

    protected Purchase() {}

    Purchase(String number) {
        this.number = number;
    }
}
