package dev.outbox.spring.boot.internal;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.outbox.Codec;
import dev.outbox.jackson.JacksonCodecs;
import dev.outbox.jackson3.Jackson3Codecs;
import dev.outbox.spring.boot.OutboxJson;
import java.lang.reflect.Type;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import tools.jackson.databind.json.JsonMapper;

/** Codecs by the mapper of the application: that of Jackson 3 if there is one, or else that of Jackson 2. */
@AutoConfiguration(
        afterName = {
            "org.springframework.boot.autoconfigure.jackson.JacksonAutoConfiguration",
            "org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration",
            "org.springframework.boot.jackson2.autoconfigure.Jackson2AutoConfiguration"
        })
class OutboxJsonAutoConfiguration {
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({Jackson3Codecs.class, JsonMapper.class})
    @ConditionalOnSingleCandidate(JsonMapper.class)
    static class Jackson3 {
        @Bean
        @ConditionalOnMissingBean
        OutboxJson outboxJson(JsonMapper mapper) {
            return new OutboxJson() {
                @Override
                public <T> Codec<T> codec(Class<T> type) {
                    return Jackson3Codecs.json(mapper, new tools.jackson.core.type.TypeReference<T>() {
                        @Override
                        public Type getType() {
                            return type;
                        }
                    });
                }
            };
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({JacksonCodecs.class, ObjectMapper.class})
    @ConditionalOnSingleCandidate(ObjectMapper.class)
    static class Jackson2 {
        @Bean
        @ConditionalOnMissingBean
        OutboxJson outboxJson(ObjectMapper mapper) {
            return new OutboxJson() {
                @Override
                public <T> Codec<T> codec(Class<T> type) {
                    return JacksonCodecs.json(mapper, new TypeReference<T>() {
                        @Override
                        public Type getType() {
                            return type;
                        }
                    });
                }
            };
        }
    }
}
