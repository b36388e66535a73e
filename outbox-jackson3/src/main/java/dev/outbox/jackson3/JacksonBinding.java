package dev.outbox.jackson3;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreType;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.outbox.internal.json.Binding;
import dev.outbox.internal.json.Contents;
import dev.outbox.internal.json.Tree;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.BeanDescription;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationConfig;
import tools.jackson.databind.introspect.BeanPropertyDefinition;
import tools.jackson.databind.util.ClassUtil;

/** What Jackson knows of classes and values. */
final class JacksonBinding implements Binding {
    static final Contents CONTENTS = new Contents(new JacksonBinding());

    private JacksonBinding() {}

    @Override
    public Properties properties(Class<?> type) {
        SerializationConfig config = Mapper.DEFAULT.serializationConfig();
        BeanDescription described = Mapper.written(Mapper.DEFAULT, Mapper.DEFAULT.constructType(type));
        Set<Field> written = new HashSet<>();
        for (BeanPropertyDefinition property : described.findProperties()) {
            if (property.couldSerialize() && property.getField() != null) {
                written.add(property.getField().getAnnotated());
            }
        }
        Set<String> ignored = new HashSet<>(described.getIgnoredPropertyNames());
        ignored.addAll(config.getDefaultPropertyIgnorals(type, described.getClassInfo())
                .findIgnoredForSerialization());
        return new Properties(written, ignored);
    }

    @Override
    public boolean isLeftOut(Field field) {
        JsonProperty property = field.getAnnotation(JsonProperty.class);
        boolean oneWay = property != null
                && (property.access() == JsonProperty.Access.WRITE_ONLY
                        || property.access() == JsonProperty.Access.READ_ONLY);
        return oneWay
                || field.getAnnotation(JsonIgnore.class) != null
                || field.getType().getAnnotation(JsonIgnoreType.class) != null;
    }

    /** By Jackson, because the package is open to it. */
    @Override
    public void open(Field field) {
        ClassUtil.checkAndFixAccess(field, true);
    }

    @Override
    public @Nullable Tree tree(Object value) {
        return value instanceof JsonNode node ? new Node(node) : null;
    }

    private record Node(JsonNode node) implements Tree {
        @Override
        public String kind() {
            return node.getNodeType().toString();
        }

        @Override
        public boolean isNumber() {
            return node.isNumber();
        }

        @Override
        public String number() {
            return node.asString();
        }

        @Override
        public boolean isContainer() {
            return node.isContainer();
        }

        @Override
        public Map<String, ?> properties() {
            Map<String, JsonNode> properties = new LinkedHashMap<>();
            node.properties().forEach(property -> properties.put(property.getKey(), property.getValue()));
            return properties;
        }

        @Override
        public List<?> elements() {
            List<JsonNode> elements = new ArrayList<>();
            if (node.isArray()) {
                node.forEach(elements::add);
            }
            return elements;
        }
    }
}
