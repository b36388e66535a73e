package dev.outbox.jackson3;

import java.util.LinkedHashSet;
import java.util.Set;
import tools.jackson.databind.BeanDescription;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.cfg.JsonNodeFeature;
import tools.jackson.databind.introspect.ClassIntrospector;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;

/**
 * How Jackson is set up, unless an application brings a mapper of its own. It writes what {@code outbox-jackson}
 * writes, so that one can follow the other while messages wait.
 */
final class Mapper {
    /** Unknown properties are ignored, so that an older relay reads what a newer writer wrote. */
    static final ObjectMapper DEFAULT = JsonMapper.builder()
            .addModule(new SimpleModule("outbox").addAbstractTypeMapping(Set.class, LinkedHashSet.class))
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .disable(EnumFeature.WRITE_ENUMS_USING_TO_STRING, EnumFeature.READ_ENUMS_USING_TO_STRING)
            .disable(DateTimeFeature.WRITE_DATES_AS_TIMESTAMPS, DateTimeFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
            .enable(DateTimeFeature.WRITE_DATES_WITH_ZONE_ID)
            .disable(DateTimeFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE, DateTimeFeature.NORMALIZE_DESERIALIZED_ZONE_ID)
            .disable(
                    SerializationFeature.FAIL_ON_EMPTY_BEANS) // a record without components is a message; see TypeCheck
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(JsonNodeFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private Mapper() {}

    /** What a mapper writes of a type. */
    static BeanDescription written(ObjectMapper mapper, JavaType type) {
        ClassIntrospector introspector =
                mapper.serializationConfig().classIntrospectorInstance().forOperation(mapper.serializationConfig());
        return introspector.introspectForSerialization(type, introspector.introspectClassAnnotations(type));
    }
}
