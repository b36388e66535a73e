package com.example.shop;

import dev.outbox.Topic;
import dev.outbox.kafka.KafkaPublisher;
import dev.outbox.spring.boot.OutboxJson;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.core.ProducerFactory;

@SpringBootApplication
public class ShopApplication {
    public static void main(String[] args) {
        SpringApplication.run(ShopApplication.class, args);
    }

    @Bean // with the settings of Kafka that the application has
    KafkaPublisher<OrderPlaced> kafka(ProducerFactory<?, ?> application) {
        return KafkaPublisher.<OrderPlaced>builder(application.getConfigurationProperties())
                .build();
    }

    @Bean // orders of one customer stay in order
    Topic<OrderPlaced> orders(OutboxJson json, KafkaPublisher<OrderPlaced> kafka) {
        return Topic.builder("orders", json.codec(OrderPlaced.class))
                .key(OrderPlaced::customer)
                .partitions(8)
                .asyncPublisher(kafka)
                .build();
    }
}
