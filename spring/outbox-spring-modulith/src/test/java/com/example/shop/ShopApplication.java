package com.example.shop;

import com.example.shop.order.OrderCompleted;
import dev.outbox.Topic;
import dev.outbox.spring.boot.OutboxJson;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

@SpringBootApplication
public class ShopApplication {
    @Bean
    public Broker broker() {
        return new Broker();
    }

    @Bean
    Topic<OrderCompleted> orders(OutboxJson json, Broker broker) {
        return Topic.builder("orders", json.codec(OrderCompleted.class))
                .partitions(8)
                .publisher(broker::send)
                .build();
    }
}
